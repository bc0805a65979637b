import type { KernelOf } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { broadcasting, fewAxes } from './_broadcasting.ts';

export const select: KernelOf<'select'> = {
  accepts: fewAxes,
  lower: ({ condition, a, b }, { y }) => [broadcasting(shader('select'), {}, [condition, a, b], y)],
};
