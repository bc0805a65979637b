import { normal, type OpSpec, uniform } from '../spec.ts';

export const lerp: readonly OpSpec[] = [0, 1, 5].map((N) => {
  const inputs = { x: normal(['N', 9]), shifted: normal(['N', 9]), mix: uniform([9], -0.5, 1.5) };
  return { op: 'lerp', name: `N=${N},C=9`, sizes: { N }, inputs };
});
