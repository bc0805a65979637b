import { normal, type OpSpec, weight } from '../spec.ts';
import { MIX_TOLERANCES, vector } from './mixes.ts';

export const gatedNorm7: readonly OpSpec[] = [
  { N: 1, H: 1, D: 8 },
  { N: 5, H: 3, D: 4 },
  { N: 2, H: 2, D: 64 },
  { N: 0, H: 2, D: 4 },
].map(({ N, H, D }) => {
  const row = ['N', H * D];
  const inputs = {
    ...{ y: normal(row), r: normal(row), k: normal(row), v: normal(row), g: normal(row), r_k: weight(normal([H, D])) },
    ...{ w: vector(H * D), b: vector(H * D) },
  };
  const attrs = { eps: 64e-5 };
  return { op: 'gatedNorm7', name: `N=${N},H=${H},D=${D}`, attrs, sizes: { N }, inputs, tolerances: MIX_TOLERANCES };
});
