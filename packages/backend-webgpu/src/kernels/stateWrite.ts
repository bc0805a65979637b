import type { KernelOf } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { byRow } from './_rows.ts';

export const stateWrite: KernelOf<'stateWrite'> = {
  lower: ({ slots, value }, { y }) => [byRow(shader('stateWrite'), y, slots, value, 'into')],
};
