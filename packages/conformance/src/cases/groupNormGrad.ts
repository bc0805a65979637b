import { normal, type OpSpec } from '../spec.ts';

export const groupNormGrad: readonly OpSpec[] = [
  line(5, 12, 3, 64e-5),
  line(2, 128, 2, 64e-5),
  line(3, 35, 5, 1e-5),
  line(70, 33, 1, 1e-5),
  line(3, 12, 3, 0.5),
  line(0, 12, 3, 64e-5),
];

function line(N: number, C: number, groups: number, eps: number): OpSpec {
  const inputs = { x: normal(['N', C]), w: normal([C]), gy: normal(['N', C]) };
  return {
    op: 'groupNormGrad',
    name: `N=${N},C=${C},groups=${groups},eps=${eps}`,
    attrs: { groups, eps },
    sizes: { N },
    inputs,
  };
}
