import type { OpSpec } from '../spec.ts';
import { normal } from '../spec.ts';
import { vector } from './mixes.ts';
import { POOLED } from './time.ts';

/** Lengths and pool rows that blocks are tried with: a block is many ops, each of which has more cases of its own. */
export const BLOCK_LENGTHS: readonly { readonly lengths: readonly number[]; readonly pool?: OpSpec['pool'] }[] = [
  { lengths: [3, 0, 1, 4] },
  { lengths: [1, 1] },
  { lengths: [0, 0] },
  { lengths: [37, 33] },
  ...POOLED.slice(0, 3),
];

/** Width of the channel mix: small where gradients are tried, odd where the width of the model is. */
export function hiddenOf(C: number): number {
  if (C === 8) return 12;
  return C % 4 === 0 ? 96 : 21;
}

/** A line of a block from one of its time mix and one of its channel mix, for the same tokens. */
export function blockLine(op: string, timeMix: OpSpec, channelMix: OpSpec): OpSpec {
  const C = Number(timeMix.inputs['x']?.shape[1]);
  const named = (half: string, { inputs }: OpSpec): OpSpec['inputs'] => {
    const own = Object.entries(inputs).filter(([name]) => name !== 'x' && name !== 'starts');
    return Object.fromEntries(own.map(([name, spec]) => [`${half}_${name}`, spec]));
  };
  const { starts } = timeMix.inputs;
  return {
    ...timeMix,
    op,
    attrs: { ...timeMix.attrs, ...channelMix.attrs, lnEps: 1e-5 },
    inputs: {
      x: normal(['N', C]),
      ...(starts === undefined ? {} : { starts }),
      ...{ ln1_w: vector(C), ln1_b: vector(C, 0.1), ln2_w: vector(C), ln2_b: vector(C, 0.1) },
      ...named('att', timeMix),
      ...named('ffn', channelMix),
    },
    // What it is made of has its gradients held op by op, and whole models have theirs: one line will do.
    differentiable: C === 8,
  };
}
