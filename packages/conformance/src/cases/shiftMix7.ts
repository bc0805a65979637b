import type { OpSpec } from '../spec.ts';
import { everyWay, mixLine, shares } from './mixes.ts';
import { nameOf } from './time.ts';

export const shiftMix7: readonly OpSpec[] = everyWay((lengths, pool) => {
  const mixes = shares(['x_r', 'x_w', 'x_k', 'x_v', 'x_a', 'x_g'], 10);
  return mixLine('shiftMix7', nameOf(lengths, 'C=10', pool), lengths, 10, mixes);
});
