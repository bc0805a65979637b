import type { Sizes, Value } from '@receptance/core';
import { type KernelOf, type Program, perElement, read, type Scratch, write } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { ALL, type Block, blockOf, fits, mix, NOTHING, rowMajor, rowsOf } from './_block.ts';
import { channelMix, channelWidth } from './_channelMix.ts';
import { memory6 } from './_memory6.ts';
import { type Job, project } from './_project.ts';
import { beginState } from './_time.ts';

const MATRICES = ['att_receptance', 'att_key', 'att_value', 'att_gate', 'att_output', 'att_decay_w1', 'att_decay_w2'];
const CHANNEL_MATRICES = ['ffn_key', 'ffn_receptance', 'ffn_value'];

/** The streams as `_mixes6` makes them. */
const STREAMS = ['w', 'k', 'v', 'r', 'g'] as const;

/**
 * Ten dispatches: norm and the stream that chooses; down; the five streams; projections; decay; memory, norm and gate; output
 * and residual; the channel mix's three.
 */
export const block6: KernelOf<'block6'> = {
  accepts: (node) => fits(node, [...MATRICES, ...CHANNEL_MATRICES], 'att_s0'),
  lower(x, y, { eps, lnEps, mixOf }, context) {
    const vectors = {
      ...{ ln1_w: x.ln1_w, ln1_b: x.ln1_b, ln2_w: x.ln2_w, ln2_b: x.ln2_b, att_maa_x: x.att_maa_x },
      ...{ att_maa_w: x.att_maa_w, att_maa_k: x.att_maa_k, att_maa_v: x.att_maa_v },
      ...{ att_maa_r: x.att_maa_r, att_maa_g: x.att_maa_g, att_decay: x.att_decay, att_u: x.att_u },
      ...{ att_ln_x_w: x.att_ln_x_w, att_ln_x_b: x.att_ln_x_b, ffn_mix_k: x.ffn_mix_k, ffn_mix_r: x.ffn_mix_r },
    };
    const block = blockOf(x, vectors, 3, context);
    const { width, tokens } = block;
    const [down, up, choose] = [x.att_decay_w1, x.att_decay_w2, x.att_maa_w1].map((of, i) =>
      rowMajor(of, true, 5 + i, context),
    );
    if (down === undefined || up === undefined || choose === undefined) throw new Error('three matrices are given');
    const channels = channelWidth(width, x.ffn_key, x.ffn_receptance);
    const streams = rowsOf(block, 0, Math.max(3 * width, channels));
    const projected = rowsOf(block, 1, Math.max(4 * width + down.weight.rows, choose.weight.rows, channels));
    const hidden = rowsOf(block, 2, width);
    const mixed = rowsOf(block, 4, 5 * width);
    const stream = (i: number) => (sizes: Sizes) => tokens(sizes) * width * i;
    const of = (name: (typeof STREAMS)[number]) => stream(STREAMS.indexOf(name));
    const matrix = (value: Value) => rowMajor(value, false, 0, context).weight;
    const jobs: Job[] = [
      { weight: matrix(x.att_receptance), x: of('r'), y: stream(0) },
      { weight: matrix(x.att_key), x: of('k'), y: stream(1) },
      { weight: matrix(x.att_value), x: of('v'), y: stream(2) },
      { weight: matrix(x.att_gate), fn: 'silu', x: of('g'), y: stream(3) },
      { weight: down.weight, fn: 'tanh', x: of('w'), y: stream(4) },
    ];
    const decay: Job = { weight: up.weight, fn: 'decay6', x: stream(4), bias: block.vectors.at('att_decay') };
    const shares = ['att_maa_x', NOTHING, ALL] as const;
    return [
      ...block.vectors.programs,
      ...[down, up, choose].flatMap(({ programs }) => programs),
      ...beginState(
        [
          [x.att_prev, y.att_last],
          [x.att_s0, y.att_s],
          [x.ffn_prev, y.ffn_last],
        ],
        x.slots,
      ),
      mix(block, { x: x.x, norm: 'ln1', eps: lnEps, state: y.att_last, shares, mixOf: 'previous', y: streams }),
      ...project({ jobs: [{ weight: choose.weight, fn: 'tanh' }], tokens, x: streams, y: projected }, context),
      mixes(block, { streams, projected, up: x.att_maa_w2, y: mixed }),
      ...project({ jobs, tokens, x: mixed, y: projected }, context),
      ...project({ jobs: [decay], tokens, x: projected, y: streams, vectors: block.vectors.operand }, context),
      memory6(block, { eps, streams, projected, state: y.att_s, perToken: true, gated: true, out: 1 }),
      ...project(
        { jobs: [{ weight: matrix(x.att_output), x: stream(1) }], tokens, x: streams, y: hidden, residual: x.x },
        context,
      ),
      ...channelMix(block, {
        ...{ eps: lnEps, mixOf, state: y.ffn_last, key: x.ffn_key, value: x.ffn_value, receptance: x.ffn_receptance },
        ...{ residual: hidden, y: y.y, streams, projected },
      }),
    ];
  },
};

interface Mixes {
  readonly streams: Scratch;
  readonly projected: Scratch;
  /** maa_w2 [5, rank, C] */
  readonly up: Value;
  readonly y: Scratch;
}

function mixes({ vectors, tokens, width }: Block, { streams, projected, up, y }: Mixes): Program {
  const rank = Number(up.shape[1]);
  const shares = STREAMS.map((name) => vectors.at(`att_maa_${name}`));
  return {
    shader: shader('_mixes6'),
    bindings: [...[streams, projected, up, vectors.operand].map(read), write(y)],
    launch(sizes) {
      const count = 5 * tokens(sizes) * width;
      const params = [count, tokens(sizes), width, rank, 0, 0, 0, 0, ...shares, 0, 0, 0];
      return { workgroups: perElement(count), params };
    },
  };
}
