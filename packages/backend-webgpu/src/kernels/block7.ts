import type { Sizes, Value } from '@receptance/core';
import { axisSize, floatBits, type KernelOf, type Program, read, type Scratch, write } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { type Block, blockOf, fits, mix, rowMajor, rowsOf } from './_block.ts';
import { channelMix, channelWidth } from './_channelMix.ts';
import { type Finish, type Job, project } from './_project.ts';
import { beginState } from './_time.ts';

const STREAMS = ['r', 'w', 'k', 'v', 'a', 'g'] as const;

/** The low-rank projections: function in the middle, function and bias at the end. */
const LOW_RANK = {
  w: { middle: 'tanh', end: 'decay7', bias: 'att_w0' },
  a: { middle: 'none', end: 'sigmoid', bias: 'att_a0' },
  g: { middle: 'sigmoid', end: 'none', bias: undefined },
  v: { middle: 'none', end: 'sigmoid', bias: 'att_v0' },
} as const satisfies Record<string, { middle: Finish; end: Finish; bias: string | undefined }>;

type LowRankPair = readonly [keyof typeof LOW_RANK, readonly [down: Value, up: Value]];

const MATRICES = ['att_receptance', 'att_key', 'att_value', 'att_output', 'ffn_key', 'ffn_value'] as const;
const LOW_MATRICES = ['w', 'a', 'g', 'v'].flatMap((name) => [`att_${name}1`, `att_${name}2`]);

/**
 * Eight dispatches: norm and streams; all projections of them; the upper halves of the low-rank ones; memory, norm, bonus
 * and gate; output projection and residual; norm and stream; key; value and residual.
 */
export const block7: KernelOf<'block7'> = {
  accepts: (node) => fits(node, [...MATRICES, ...LOW_MATRICES], 'att_s0'),
  lower(x, y, { eps, lnEps }, context) {
    const vectors = {
      ...{ ln1_w: x.ln1_w, ln1_b: x.ln1_b, ln2_w: x.ln2_w, ln2_b: x.ln2_b },
      ...{ att_x_r: x.att_x_r, att_x_w: x.att_x_w, att_x_k: x.att_x_k },
      ...{ att_x_v: x.att_x_v, att_x_a: x.att_x_a, att_x_g: x.att_x_g },
      ...{ att_w0: x.att_w0, att_a0: x.att_a0, att_v0: x.att_v0, att_k_k: x.att_k_k, att_k_a: x.att_k_a },
      ...{ att_r_k: x.att_r_k, att_ln_x_w: x.att_ln_x_w, att_ln_x_b: x.att_ln_x_b, ffn_x_k: x.ffn_x_k },
    };
    const block = blockOf(x, vectors, 3, context);
    const { width, tokens } = block;
    const residual: LowRankPair[] = x.att_v1 && x.att_v2 ? [['v', [x.att_v1, x.att_v2]]] : [];
    const pairs: LowRankPair[] = [
      ['w', [x.att_w1, x.att_w2]],
      ['a', [x.att_a1, x.att_a2]],
      ['g', [x.att_g1, x.att_g2]],
      ...residual,
    ];

    let end = 3 * width;
    const low = pairs.map(([name, [down, up]], i) => {
      const own = LOW_RANK[name];
      const at = end;
      end += Number(down.shape[1]);
      const [first, second] = [rowMajor(down, true, 4 + 2 * i, context), rowMajor(up, true, 5 + 2 * i, context)];
      return { ...own, stream: STREAMS.indexOf(name), at, i, down: first, up: second };
    });
    const streams = rowsOf(block, 0, Math.max(6 * width, channelWidth(width, x.ffn_key)));
    const projected = rowsOf(block, 1, Math.max(end, channelWidth(width, x.ffn_key)));
    const hidden = rowsOf(block, 2, width);
    const stream = (i: number) => (sizes: Sizes) => tokens(sizes) * width * i;
    const jobs: Job[] = [
      ...[x.att_receptance, x.att_key, x.att_value].map((matrix, i): Job => {
        return { weight: rowMajor(matrix, false, 0, context).weight, x: stream([0, 2, 3][i] ?? 0), y: stream(i) };
      }),
      ...low.map(({ down, middle, stream: from, at }): Job => {
        return { weight: down.weight, fn: middle, x: stream(from), y: (sizes) => tokens(sizes) * at };
      }),
    ];
    const ups = low.map(({ up, end: fn, bias, at, i }): Job => {
      const from = bias === undefined ? {} : { bias: block.vectors.at(bias) };
      return { weight: up.weight, fn, ...from, x: (sizes) => tokens(sizes) * at, y: stream(i) };
    });
    const shares = STREAMS.map((name) => `att_x_${name}`);
    return [
      ...block.vectors.programs,
      ...low.flatMap(({ down, up }) => [...down.programs, ...up.programs]),
      ...beginState(statesOf(x, y), x.slots),
      mix(block, { x: x.x, norm: 'ln1', eps: lnEps, state: y.att_last, shares, mixOf: 'previous', y: streams }),
      ...project({ jobs, tokens, x: streams, y: projected }, context),
      ...project({ jobs: ups, tokens, x: projected, y: streams, vectors: block.vectors.operand }, context),
      memory(block, { eps, streams, projected, state: y.att_s, first: x.att_vFirst, after: y.att_vFirst }),
      ...project(
        {
          jobs: [{ weight: rowMajor(x.att_output, false, 0, context).weight, x: stream(OUT) }],
          ...{ tokens, x: streams, y: hidden, residual: x.x },
        },
        context,
      ),
      ...channelMix(block, {
        ...{ eps: lnEps, mixOf: 'previous', state: y.ffn_last, key: x.ffn_key, value: x.ffn_value },
        ...{ residual: hidden, y: y.y, streams, projected },
      }),
    ];
  },
};

/** The stream that the gated answer of the memory takes the place of; before it are those of the low-rank projections. */
const OUT = 4;

function statesOf(
  x: { readonly att_prev: Value; readonly att_s0: Value; readonly ffn_prev: Value },
  y: { readonly att_last: Value; readonly att_s: Value; readonly ffn_last: Value },
): (readonly [Value, Value])[] {
  return [
    [x.att_prev, y.att_last],
    [x.att_s0, y.att_s],
    [x.ffn_prev, y.ffn_last],
  ];
}

interface MemoryStep {
  readonly eps: number;
  readonly streams: Scratch;
  readonly projected: Scratch;
  readonly state: Value;
  readonly first: Value | undefined;
  readonly after: Value;
}

function memory(block: Block, { eps, streams, projected, state, first, after }: MemoryStep): Program {
  const { starts, slots, vectors, width, tokens } = block;
  const size = axisSize(state, -1, {});
  const names = ['k_k', 'k_a', 'r_k', 'ln_x_w', 'ln_x_b'].map((name) => vectors.at(`att_${name}`));
  return {
    shader: shader('_memory7'),
    constants: { D: size, WG: size, POOLED: Number(slots !== undefined), FIRST: Number(first === undefined) },
    bindings: [
      ...[read(projected), write(streams), read(vectors.operand), read(starts), read(slots ?? starts)],
      ...[write(state), read(first ?? projected), write(after)],
    ],
    launch(sizes) {
      const heads = width / size;
      const count = (axisSize(starts, 0, sizes) - 1) * heads;
      const area = tokens(sizes) * width;
      const [r, k, v, lw, a, g, mixOfV, out] = [0, 1, 2, 0, 1, 2, 3, OUT].map((i) => i * area);
      const places = [r, k, v, lw, a, g, mixOfV, out].map((at) => at ?? 0);
      const sizesOf = [count, heads, tokens(sizes), axisSize(state, 0, sizes), floatBits(eps)];
      return { workgroups: count, params: [...sizesOf, ...names, ...places] };
    },
  };
}
