import { normal, type OpSpec, uniform } from '../spec.ts';

export const reluSquared: readonly OpSpec[] = [
  ...[0, 1, 5].map((N): OpSpec => {
    return { op: 'reluSquared', name: `N=${N},C=9`, sizes: { N }, inputs: { x: normal(['N', 9]) } };
  }),
  { op: 'reluSquared', name: 'scalar', inputs: { x: uniform([], 0.5, 2) } },
];
