import { acceptsUnpooled, type KernelOf } from '../kernel.ts';

const STREAMS = ['r', 'w', 'k', 'v', 'a', 'g'] as const;

/** Of one row the six streams are the rows of one matrix. */
export const shiftMix7: KernelOf<'shiftMix7'> = {
  accepts: acceptsUnpooled,
  lower({ x, prev, starts, ...mixes }, _, __, o) {
    const { block } = o;
    const [tokens = 0, width = 0] = x.shape;
    const rows = o.ref(x);
    const { shifted, last } = o.sequences(starts, tokens).shift(rows, o.ref(prev), width);
    const difference = block.op('Sub', [shifted, rows]);
    const mix = (shares: string): string => block.op('Add', [rows, block.op('Mul', [difference, shares])]);
    const shares = STREAMS.map((stream) => o.ref(mixes[`x_${stream}`]));
    if (o.fixed(tokens) !== 1) {
      const [r = '', w = '', k = '', v = '', a = '', g = ''] = shares.map(mix);
      return { r, w, k, v, a, g, last };
    }
    const all = mix(
      o.concat(
        shares.map((share) => o.reshape(share, [1, width])),
        0,
      ),
    );
    const [r = '', w = '', k = '', v = '', a = '', g = ''] = block.ops('Split', [all], 6, {
      axis: { int: 0 },
      num_outputs: { int: 6 },
    });
    return { r, w, k, v, a, g, last };
  },
};
