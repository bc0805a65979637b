import { convertTensors, isBigMatrix, quantizedSource, type WeightSource } from '@receptance/core';
import type { WeightName } from '../runner/protocol.ts';

/** The weights as `load` with this type holds them: the big matrices in it, the rest as it is. */
export function heldAs(source: WeightSource, weights: WeightName | undefined): WeightSource {
  if (weights === undefined) return source;
  if (weights === 'q8_0' || weights === 'q4_0') return quantizedSource(source, weights);
  return convertTensors(source, { dtype: weights, only: isBigMatrix });
}
