import type { Sizes, Value } from '@receptance/core';
import { axisSize, type KernelOf, type Program, perElement, read, write } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { type Block, blockOf, fits, mix, rowMajor, rowsOf } from './_block.ts';
import { channelMix, channelWidth } from './_channelMix.ts';
import { type Job, project } from './_project.ts';
import { beginState } from './_time.ts';

const MATRICES = ['att_receptance', 'att_key', 'att_value', 'att_output', 'ffn_key', 'ffn_receptance', 'ffn_value'];

/** Seven dispatches: norm and streams; projections; average and receptance; output and residual; the channel mix's three. */
export const block4: KernelOf<'block4'> = {
  accepts: (node) => fits(node, MATRICES),
  lower(x, y, { lnEps, mixOf }, context) {
    const vectors = {
      ...{ ln1_w: x.ln1_w, ln1_b: x.ln1_b, ln2_w: x.ln2_w, ln2_b: x.ln2_b },
      ...{ att_mix_k: x.att_mix_k, att_mix_v: x.att_mix_v, att_mix_r: x.att_mix_r, att_w: x.att_w, att_u: x.att_u },
      ...{ ffn_mix_k: x.ffn_mix_k, ffn_mix_r: x.ffn_mix_r },
    };
    const block = blockOf(x, vectors, 3, context);
    const { width, tokens } = block;
    const channels = channelWidth(width, x.ffn_key, x.ffn_receptance);
    const streams = rowsOf(block, 0, Math.max(3 * width, channels));
    const projected = rowsOf(block, 1, Math.max(3 * width, channels));
    const hidden = rowsOf(block, 2, width);
    const stream = (i: number) => (sizes: Sizes) => tokens(sizes) * width * i;
    const matrix = (of: Value) => rowMajor(of, false, 0, context).weight;
    const jobs = [x.att_key, x.att_value, x.att_receptance].map((of, i): Job => {
      return { weight: matrix(of), fn: i === 2 ? 'sigmoid' : 'none', x: stream(i), y: stream(i) };
    });
    const shares = ['k', 'v', 'r'].map((name) => `att_mix_${name}`);
    const states = [y.att_aa, y.att_bb, y.att_pp];
    return [
      ...block.vectors.programs,
      ...beginState(
        [
          [x.att_prev, y.att_last],
          [x.att_aa0, y.att_aa],
          [x.att_bb0, y.att_bb],
          [x.att_pp0, y.att_pp],
          [x.ffn_prev, y.ffn_last],
        ],
        x.slots,
      ),
      mix(block, { x: x.x, norm: 'ln1', eps: lnEps, state: y.att_last, shares, mixOf: 'present', y: streams }),
      ...project({ jobs, tokens, x: streams, y: projected }, context),
      average(block, projected, streams, states),
      ...project({ jobs: [{ weight: matrix(x.att_output) }], tokens, x: streams, y: hidden, residual: x.x }, context),
      ...channelMix(block, {
        ...{ eps: lnEps, mixOf, state: y.ffn_last, key: x.ffn_key, value: x.ffn_value, receptance: x.ffn_receptance },
        ...{ residual: hidden, y: y.y, streams, projected },
      }),
    ];
  },
};

type Operand = Parameters<typeof read>[0];

function average(block: Block, projected: Operand, streams: Operand, states: readonly Value[]): Program {
  const { starts, slots, vectors, width, tokens } = block;
  return {
    shader: shader('_memory4'),
    constants: { POOLED: Number(slots !== undefined) },
    bindings: [
      ...[read(projected), write(streams), read(vectors.operand), read(starts), read(slots ?? starts)],
      ...states.map(write),
    ],
    launch(sizes) {
      const count = (axisSize(starts, 0, sizes) - 1) * width;
      const area = tokens(sizes) * width;
      const rows = states.slice(0, 1).map((state) => axisSize(state, 0, sizes));
      const places = [vectors.at('att_w'), vectors.at('att_u'), 0, area, 2 * area, 0];
      return { workgroups: perElement(count), params: [count, width, tokens(sizes), ...rows, ...places] };
    },
  };
}
