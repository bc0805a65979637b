import { given, normal, type OpSpec } from '../spec.ts';

export const silu: readonly OpSpec[] = [
  ...[0, 1, 5].map((N): OpSpec => {
    return { op: 'silu', name: `N=${N},C=9`, sizes: { N }, inputs: { x: normal(['N', 9], 3) } };
  }),
  { op: 'silu', name: 'extreme', inputs: { x: given([6], [-1e4, -100, -20, 0, 20, 100]) } },
];
