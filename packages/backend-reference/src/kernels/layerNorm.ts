import { axisSize, type KernelOf } from '../tensor.ts';
import { normalizeGroups } from './groupNorm.ts';

export const layerNorm: KernelOf<'layerNorm'> = {
  run({ x, w, b }, { y }, { eps }) {
    normalizeGroups(x.data, w.data, b.data, y.data, axisSize(x, 1), axisSize(x, 1), eps);
  },
};
