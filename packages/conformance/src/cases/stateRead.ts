import { given, integers, normal, type OpSpec } from '../spec.ts';

export const stateRead: readonly OpSpec[] = [
  {
    op: 'stateRead',
    name: 'slots=4.0.2,C=6',
    sizes: { S: 3 },
    inputs: { pool: normal([6, 6]), slots: integers(['S'], [4, 0, 2]) },
  },
  {
    op: 'stateRead',
    name: 'slots=1,[H,D,D]',
    sizes: { S: 1 },
    inputs: { pool: normal([3, 2, 4, 4]), slots: integers(['S'], [1]) },
  },
  {
    op: 'stateRead',
    name: 'no sequences',
    sizes: { S: 0 },
    inputs: { pool: normal([3, 5]), slots: integers(['S'], [0]) },
  },
  {
    ...{
      op: 'stateRead',
      name: 'known',
      inputs: { pool: given([3, 2], [1, 2, 3, 4, 5, 6]), slots: integers([2], [2, 0]) },
    },
    expected: { y: [5, 6, 1, 2] },
  },
];
