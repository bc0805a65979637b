import type { ReduceFn } from '@receptance/core';
import type { KernelOf } from '../kernel.ts';

const OPS: Readonly<Record<ReduceFn, 'ReduceSum' | 'ReduceMax' | 'ReduceMean'>> = {
  sum: 'ReduceSum',
  max: 'ReduceMax',
  mean: 'ReduceMean',
};

export const reduce: KernelOf<'reduce'> = {
  lower({ x }, { y }, { fn, axes, keepDims }, o) {
    // Without axes ONNX would fold them all.
    if (axes.length === 0) return { y: o.reshape(o.ref(x), y.shape) };
    if (o.isEmpty(y.shape)) return { y: o.full(0, y.shape) };
    return { y: o.reduce(OPS[fn], o.ref(x), axes, keepDims) };
  },
};
