import { given, integers, type OpSpec } from '../spec.ts';

const FUNCTIONS = ['eq', 'lt', 'le', 'gt', 'ge'] as const;

export const compare: readonly OpSpec[] = FUNCTIONS.flatMap((fn): OpSpec[] => {
  const floats = { a: given(['N', 3], [1, 2, 3, -1, 0, 5]), b: given([3], [1, 3, 2]) };
  const whole = {
    a: integers(['N', 3], [1, 2, 3, -1, 0, 16777217]),
    b: integers(['N', 3], [1, 3, 2, -1, -5, 16777216]),
  };
  return [
    { op: 'compare', name: `${fn},f32`, attrs: { fn }, sizes: { N: 4 }, inputs: floats },
    { op: 'compare', name: `${fn},i32`, attrs: { fn }, sizes: { N: 2 }, inputs: whole },
    {
      ...{ op: 'compare', name: `${fn},beyond f32`, attrs: { fn } },
      inputs: { a: integers([2], [16777217, -16777217]), b: integers([2], [16777216, -16777216]) },
      expected: { y: { eq: [0, 0], lt: [0, 1], le: [0, 1], gt: [1, 0], ge: [1, 0] }[fn] },
    },
    {
      ...{
        op: 'compare',
        name: `${fn},scalar`,
        attrs: { fn },
        inputs: { a: given([3], [-1, 0, 1]), b: given([], [0]) },
      },
      expected: {
        y: { eq: [0, 1, 0], lt: [1, 0, 0], le: [1, 1, 0], gt: [0, 0, 1], ge: [0, 1, 1] }[fn],
      },
    },
  ];
});
