import { given, normal, type OpSpec } from '../spec.ts';

export const argmax: readonly OpSpec[] = [
  { op: 'argmax', name: 'R=5,V=9', sizes: { R: 5 }, inputs: { x: normal(['R', 9]) } },
  { op: 'argmax', name: 'R=2,V=1031', sizes: { R: 2 }, inputs: { x: normal(['R', 1031]) } },
  { op: 'argmax', name: 'V=1', sizes: { R: 3 }, inputs: { x: normal(['R', 1]) }, expected: { y: [0, 0, 0] } },
  { op: 'argmax', name: 'no rows', sizes: { R: 0 }, inputs: { x: normal(['R', 4]) } },
  {
    op: 'argmax',
    name: 'all negative',
    inputs: { x: given([2, 3], [-3, -1, -2, -1e30, -1e30, -5e29]) },
    expected: { y: [1, 2] },
  },
  {
    ...{
      op: 'argmax',
      name: 'ties',
      inputs: { x: given([4, 5], [1, 3, 3, 2, 3, 0, 0, 0, 0, 0, -1, -2, -1, -1, -3, 1, 2, 3, 4, 4]) },
    },
    expected: { y: [1, 0, 0, 3] },
  },
  {
    ...{ op: 'argmax', name: 'ties far apart', inputs: { x: given([1, 600], ties(600, [599, 300, 77])) } },
    expected: { y: [77] },
  },
  {
    ...{ op: 'argmax', name: 'ties in a long row', inputs: { x: given([1, 2600], ties(2600, [2599, 2500, 1300])) } },
    expected: { y: [1300] },
  },
];

/** Ones, and twos at the places. */
function ties(length: number, places: readonly number[]): number[] {
  return Array.from({ length }, (_, i) => (places.includes(i) ? 2 : 1));
}
