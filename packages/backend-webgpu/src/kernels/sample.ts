import type { Sizes } from '@receptance/core';
import { axisSize, type Binding, type KernelOf, MAX_WORKGROUP, read, type Scratch, write } from '../kernel.ts';
import { shader } from '../shaders.ts';

/** Parts of a row at most, each of which is a workgroup's: every workgroup adds up what all of them found. */
const MOST_PARTS = 16;
/** Columns of a part at least. */
const LEAST_COLUMNS = 1024;
/** Bits of a probability, 31 without the sign, that a pass settles, from the highest on; and how many lie below them. */
const SETTLED = [
  [8, 23],
  [8, 15],
  [8, 7],
  [7, 0],
] as const;

/**
 * Seven dispatches: the largest of each part; probabilities and their histogram by the highest bits, then by those that
 * follow, of the probabilities that agree so far with the threshold; what each part keeps; the draw.
 */
export const sample: KernelOf<'sample'> = {
  lower({ logits, parameters, counts, u }, { token, counts: after }) {
    const rows = (sizes: Sizes): number => axisSize(logits, 0, sizes);
    const width = (sizes: Sizes): number => axisSize(logits, 1, sizes);
    const columns = (sizes: Sizes): number => Math.max(LEAST_COLUMNS, Math.ceil(width(sizes) / MOST_PARTS));
    const partsOf = (sizes: Sizes): number => Math.ceil(width(sizes) / columns(sizes));
    const work: Scratch = { scratch: 0, elements: (sizes) => rows(sizes) * wordsOf(partsOf(sizes)) };
    const pass = (
      name: 'sample' | '_samplePeaks' | '_sampleNarrow' | '_sampleKept',
      more: readonly Binding[],
      own: readonly number[] = [],
    ) => ({
      shader: shader(name, '_sampling'),
      constants: { WG: MAX_WORKGROUP },
      bindings: [...[logits, parameters, counts].map(read), write(work), ...more],
      launch(sizes: Sizes) {
        const parts = partsOf(sizes);
        const params = [rows(sizes), width(sizes), parts, columns(sizes), wordsOf(parts), ...own];
        return { workgroups: rows(sizes) * parts, params };
      },
    });
    const narrow = SETTLED.map(([bits, below], i) => pass('_sampleNarrow', [write(after)], [i, bits, below]));
    return [
      pass('_samplePeaks', []),
      ...narrow,
      pass('_sampleKept', [read(after)]),
      pass('sample', [read(u), write(token), write(after)]),
    ];
  },
};

/** Words of the work of a row, as `_sampling.wgsl` lays them out. */
function wordsOf(parts: number): number {
  return 16 + parts * (4 + 2 * 3 * MAX_WORKGROUP);
}
