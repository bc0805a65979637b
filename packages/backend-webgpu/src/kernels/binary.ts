import type { BinaryFn } from '@receptance/core';
import type { KernelOf } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { broadcasting, fewAxes } from './_broadcasting.ts';

const FN: Readonly<Record<BinaryFn, number>> = { add: 0, sub: 1, mul: 2, div: 3, min: 4, max: 5 };

export const binary: KernelOf<'binary'> = {
  accepts: fewAxes,
  lower: ({ a, b }, { y }, { fn }) => [broadcasting(shader('binary'), { FN: FN[fn] }, [a, b], y)],
};
