import type { KernelOf } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { byRow } from './_rows.ts';

export const gather: KernelOf<'gather'> = {
  lower: ({ table, ids }, { y }) => [byRow(shader('gather'), table, ids, y, 'from')],
};
