import type { Sizes, Value } from '@receptance/core';
import type { KernelOf } from '../kernel.ts';
import { blockOf, fits, mix, rowMajor, rowsOf } from './_block.ts';
import { channelMix, channelWidth } from './_channelMix.ts';
import { memory6 } from './_memory6.ts';
import { type Job, project } from './_project.ts';
import { beginState } from './_time.ts';

const MATRICES = ['att_receptance', 'att_key', 'att_value', 'att_output', 'ffn_key', 'ffn_receptance', 'ffn_value'];

/** Seven dispatches: norm and streams; projections; memory, norm and gate; output and residual; the channel mix's three. */
export const block5: KernelOf<'block5'> = {
  accepts: (node) => fits(node, MATRICES, 'att_s0'),
  lower(x, y, { eps, lnEps, mixOf }, context) {
    const gate = x.att_gate && x.att_mix_g ? [x.att_gate] : [];
    const vectors = {
      ...{ ln1_w: x.ln1_w, ln1_b: x.ln1_b, ln2_w: x.ln2_w, ln2_b: x.ln2_b },
      ...{ att_mix_r: x.att_mix_r, att_mix_k: x.att_mix_k, att_mix_v: x.att_mix_v, att_mix_g: x.att_mix_g },
      ...{ att_lw: x.att_lw, att_u: x.att_u, att_ln_x_w: x.att_ln_x_w, att_ln_x_b: x.att_ln_x_b },
      ...{ ffn_mix_k: x.ffn_mix_k, ffn_mix_r: x.ffn_mix_r },
    };
    const block = blockOf(x, vectors, 3, context);
    const { width, tokens } = block;
    const channels = channelWidth(width, x.ffn_key, x.ffn_receptance);
    const streams = rowsOf(block, 0, Math.max(4 * width, channels));
    const projected = rowsOf(block, 1, Math.max(4 * width, channels));
    const hidden = rowsOf(block, 2, width);
    const stream = (i: number) => (sizes: Sizes) => tokens(sizes) * width * i;
    const matrix = (of: Value) => rowMajor(of, false, 0, context).weight;
    const jobs = [x.att_receptance, x.att_key, x.att_value, ...gate].map((of, i): Job => {
      return { weight: matrix(of), fn: i === 3 ? 'silu' : 'none', x: stream(i), y: stream(i) };
    });
    const shares = ['r', 'k', 'v', 'g'].slice(0, jobs.length).map((name) => `att_mix_${name}`);
    const memory = { eps, streams, projected, state: y.att_s, perToken: false, gated: gate.length > 0, out: 0 };
    return [
      ...block.vectors.programs,
      ...beginState(
        [
          [x.att_prev, y.att_last],
          [x.att_s0, y.att_s],
          [x.ffn_prev, y.ffn_last],
        ],
        x.slots,
      ),
      mix(block, { x: x.x, norm: 'ln1', eps: lnEps, state: y.att_last, shares, mixOf: 'present', y: streams }),
      ...project({ jobs, tokens, x: streams, y: projected }, context),
      memory6(block, memory),
      ...project({ jobs: [{ weight: matrix(x.att_output) }], tokens, x: streams, y: hidden, residual: x.x }, context),
      ...channelMix(block, {
        ...{ eps: lnEps, mixOf, state: y.ffn_last, key: x.ffn_key, value: x.ffn_value, receptance: x.ffn_receptance },
        ...{ residual: hidden, y: y.y, streams, projected },
      }),
    ];
  },
};
