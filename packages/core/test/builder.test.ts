import { GraphBuilder, ReceptanceError } from '@receptance/core';
import { describe, expect, it } from 'vitest';

function failure(body: () => unknown): ReceptanceError {
  try {
    body();
  } catch (error) {
    if (ReceptanceError.isInstance(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('GraphBuilder', () => {
  it('refuses a wrong shape where it is made, with op, scope and shapes', () => {
    const b = new GraphBuilder('g');
    const x = b.input('x', 'f32', ['N', 4]);
    const w = b.parameter('w', 'f32', [8, 5]);
    const error = failure(() => b.scope('blocks.3', () => b.scope('att', () => b.linear(x, w))));
    expect(error.code).toBe('BAD_OP');
    expect(error.message).toContain('linear in blocks.3.att');
    expect(error.message).toContain('f32[N,4]');
    expect(error.message).toContain('f32[8,5]');
  });

  it.each([
    ['a missing input', (b: GraphBuilder) => b.insert('unary', {}, { fn: 'exp' }), 'misses input x'],
    [
      'an unknown input',
      (b: GraphBuilder) => b.insert('full', { z: b.full(0, []) }, { value: 1, shape: [] }),
      'no input z',
    ],
    ['an unknown op', (b: GraphBuilder) => b.insert('wkv9', {}, {}), 'wkv9 is not an op'],
    ['a name of the prototype', (b: GraphBuilder) => b.insert('constructor', {}, {}), 'constructor is not an op'],
    ['a wrong dtype', (b: GraphBuilder) => b.unary('exp', b.input('t', 'i32', ['N'])), 'must be f32'],
    ['a dimension that differs', (b: GraphBuilder) => shift(b, 5), 'must have shape'],
    ['shapes that do not broadcast', (b: GraphBuilder) => b.binary('add', b.full(0, [2]), b.full(0, [3])), 'broadcast'],
    [
      'a reshape that loses elements',
      (b: GraphBuilder) => b.reshape(b.full(0, ['N', 6]), ['N', 5]),
      'number of elements',
    ],
    ['an axis beyond the rank', (b: GraphBuilder) => b.reduce('sum', b.full(0, [2]), [1]), 'axes'],
    [
      'a slice beyond the end',
      (b: GraphBuilder) => b.add('slice', { x: b.full(0, [4]) }, { axis: 0, start: 2, end: 5 }),
      'outside',
    ],
    ['a constant of the wrong length', (b: GraphBuilder) => b.constant([1, 2], 'f32', [3]), '2 numbers'],
    ['a number that is not finite', (b: GraphBuilder) => b.full(Number.NaN, []), 'value is NaN'],
    [
      'groups that do not divide',
      (b: GraphBuilder) => b.add('l2Norm', { x: b.full(0, [1, 6]) }, { groups: 4, eps: 0 }),
      'divide',
    ],
  ])('refuses %s', (_, body, message) => {
    const error = failure(() => body(new GraphBuilder('g')));
    expect(error.code).toBe('BAD_OP');
    expect(error.message).toContain(message);
  });

  it('binds the letters of a pattern across inputs, S+1 included', () => {
    const { y, last } = shift(new GraphBuilder('g'), 4);
    expect(y.shape).toEqual(['N', 4]);
    expect(last.shape).toEqual(['S', 4]);
    const b = new GraphBuilder('g');
    const fixed = b.add('tokenShift', {
      ...{ x: b.full(0, [3, 4]), prev: b.full(0, [2, 4]), starts: b.input('starts', 'i32', [3]) },
    });
    expect(fixed.last.shape).toEqual([2, 4]);
  });

  it('gives one value for one leaf and refuses another type under its name', () => {
    const b = new GraphBuilder('g');
    expect(b.parameter('w', 'f16', [2, 2])).toBe(b.parameter('w', 'f16', [2, 2]));
    expect(failure(() => b.parameter('w', 'f32', [2, 2])).message).toContain('declared as parameter f16[2,2]');
  });

  it('updates only variables, with values of their own type', () => {
    const b = new GraphBuilder('g');
    b.variable('pool', 'f32', ['Z', 4]);
    expect(failure(() => b.update('pool', b.full(0, ['S', 4]))).message).toContain('pool');
    expect(failure(() => b.update('nothing', b.full(0, [])))).toMatchObject({ code: 'BAD_OP' });
    const weight = b.parameter('weight', 'f32', [2]);
    expect(failure(() => b.update('weight', weight)).message).toContain('not a variable');
    expect(failure(() => b.variable('weight', 'f32', [2])).message).toContain('declared as parameter');
  });

  it('refuses values of another graph', () => {
    const [one, two] = [new GraphBuilder('one'), new GraphBuilder('two')];
    const x = one.input('x', 'f32', [2]);
    two.input('y', 'f32', [2]);
    expect(failure(() => two.unary('exp', x)).message).toContain('another graph');
    expect(failure(() => two.output('z', x)).message).toContain('another graph');
  });

  it.each(['', 'constructor', '__proto__', 'toString'])('refuses the name %j', (name) => {
    const b = new GraphBuilder('g');
    expect(failure(() => b.input(name, 'f32', [])).message).toContain('cannot be a name');
    expect(failure(() => b.output(name, b.full(0, []))).message).toContain('cannot be a name');
  });

  it('keeps its own copy of attributes', () => {
    const b = new GraphBuilder('g');
    const axes = [1];
    b.output('y', b.reduce('sum', b.full(0, [2, 3]), axes));
    axes[0] = 0;
    expect(b.build().nodes[1]?.attrs['axes']).toEqual([1]);
  });

  it('makes graphs that cannot be changed', () => {
    const b = new GraphBuilder('g');
    b.output('y', b.full(1, []));
    const graph = b.build();
    expect(Object.isFrozen(graph) && Object.isFrozen(graph.nodes) && graph.nodes.every(Object.isFrozen)).toBe(true);
  });
});

function shift(b: GraphBuilder, width: number) {
  const x = b.input('x', 'f32', ['N', 4]);
  return b.add('tokenShift', { x, prev: b.full(0, ['S', width]), starts: b.input('starts', 'i32', ['S+1']) });
}
