import { expect, it } from 'vitest';
import { broadcastStrides, mergeAxes, stridesOf, walkParams } from '../src/strided.ts';

it('a walk over equal shapes has one axis', () => {
  const shape = [5, 3, 4];
  expect(mergeAxes({ shape, strides: [stridesOf(shape), stridesOf(shape)] })).toEqual({
    shape: [60],
    strides: [[1], [1]],
  });
});

it('axes of length 1 are dropped, broadcast neighbours joined', () => {
  const shape = [5, 1, 3, 4];
  const strides = [stridesOf(shape), broadcastStrides([3, 4], shape)];
  expect(mergeAxes({ shape, strides })).toEqual({
    shape: [5, 12],
    strides: [
      [12, 1],
      [0, 1],
    ],
  });
});

it('axes that lie apart stay apart', () => {
  expect(mergeAxes({ shape: [2, 3], strides: [[1, 2]] })).toEqual({ shape: [2, 3], strides: [[1, 2]] });
});

it('params hold the fastest axis first', () => {
  const params = walkParams({ shape: [2, 3], strides: [[1, 2]] }, [7, 9]);
  expect(params).toEqual([6, 2, 7, 9, 3, 2, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0]);
});

it('a scalar is one element, an empty tensor none', () => {
  expect(walkParams({ shape: [], strides: [[]] })[0]).toBe(1);
  expect(walkParams({ shape: [0, 3], strides: [[3, 1]] })[0]).toBe(0);
});
