import type { KernelOf } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { byRow } from './_rows.ts';

export const stateRead: KernelOf<'stateRead'> = {
  lower: ({ pool, slots }, { y }) => [byRow(shader('stateRead'), pool, slots, y, 'from')],
};
