import { describe, expect, it } from 'vitest';
import { axesOf, broadcastAxes } from '../src/axes.ts';

describe('axes', () => {
  it('are joined where all operands go on evenly', () => {
    expect(
      broadcastAxes(
        ['N', 2, 3],
        [
          ['N', 2, 3],
          ['N', 2, 3],
        ],
      ),
    ).toEqual([{ size: ['N', 2, 3], strides: [[], []] }]);
    expect(
      broadcastAxes(
        ['N', 2, 3],
        [
          ['N', 2, 3],
          [2, 3],
        ],
      ),
    ).toEqual([
      { size: ['N'], strides: [[2, 3], 0] },
      { size: [2, 3], strides: [[], []] },
    ]);
    expect(broadcastAxes(['N', 2, 3], [['N', 2, 1], []])).toEqual([
      { size: ['N', 2], strides: [[1], 0] },
      { size: [3], strides: [0, 0] },
    ]);
  });

  it('of length 1 do not count', () => {
    expect(broadcastAxes([1, 'S', 1], [['S', 1]])).toEqual([{ size: ['S'], strides: [[1]] }]);
    expect(broadcastAxes([], [[]])).toEqual([]);
  });

  it('in another order keep their strides', () => {
    expect(axesOf([2, 3, 'N'], [2, 0, 1])).toEqual([
      { size: ['N'], strides: [[]] },
      { size: [2, 3], strides: [['N']] },
    ]);
  });
});
