import { normal, type OpSpec, weight } from '../spec.ts';
import { everyWay, mixLine, shares } from './mixes.ts';
import { nameOf } from './time.ts';

export const shiftMix6: readonly OpSpec[] = everyWay((lengths, pool) =>
  mixLine('shiftMix6', nameOf(lengths, 'C=10', pool), lengths, 10, {
    ...shares(['maa_x', 'maa_w', 'maa_k', 'maa_v', 'maa_r', 'maa_g'], 10),
    ...{ maa_w1: weight(normal([10, 15], 0.3)), maa_w2: weight(normal([5, 3, 10], 0.5)) },
  }),
);
