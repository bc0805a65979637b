import { checkBindings, type DeviceBuffer, GraphBuilder } from '@receptance/core';
import { describe, expect, it } from 'vitest';

const graph = (() => {
  const b = new GraphBuilder('g');
  const tokens = b.input('tokens', 'i32', ['N']);
  const table = b.variable('table', 'f32', ['Z', 4]);
  const rows = b.add('gather', { table, ids: tokens }).y;
  b.output('rows', rows);
  b.output('next', b.add('argmax', { x: rows }).y);
  return b.build();
})();
const limits = { N: 8, Z: 3 };
const buffer = (dtype: 'f32' | 'i32', elements: number): DeviceBuffer => ({ dtype, elements });
const bindings = (more: object = {}) => ({
  sizes: { N: 2 },
  inputs: { tokens: buffer('i32', 8) },
  outputs: { rows: buffer('f32', 32), next: buffer('i32', 8) },
  ...more,
});

describe('checkBindings', () => {
  it('gives every symbol a size, those of the pools from load', () => {
    expect(checkBindings(graph, limits, bindings())).toEqual({ N: 2, Z: 3 });
    expect(checkBindings(graph, limits, bindings({ sizes: { N: 0 } }))).toEqual({ N: 0, Z: 3 });
  });

  const shared = buffer('i32', 8);
  it.each([
    ['a size beyond the limit', bindings({ sizes: { N: 9 } }), /N = 9/],
    ['a size that is no size', bindings({ sizes: { N: 1.5 } }), /N = 1\.5/],
    ['no size', bindings({ sizes: {} }), /N has no size/],
    ['another size than that of the variables', bindings({ sizes: { N: 1, Z: 2 } }), /Z = 2, but 3/],
    ['a missing input', bindings({ inputs: {} }), /input tokens is not bound/],
    ['a missing output', bindings({ outputs: { rows: buffer('f32', 32) } }), /output next is not bound/],
    ['a short buffer', bindings({ outputs: { rows: buffer('f32', 7), next: buffer('i32', 8) } }), /room for 7/],
    ['a wrong dtype', bindings({ inputs: { tokens: buffer('f32', 8) } }), /is i32/],
    [
      'one buffer twice',
      bindings({ inputs: { tokens: shared }, outputs: { rows: buffer('f32', 32), next: shared } }),
      /bound already/,
    ],
  ])('refuses %s', (_, given, message) => {
    expect(() => checkBindings(graph, limits, given)).toThrow(message);
    expect(() => checkBindings(graph, limits, given)).toThrow(expect.objectContaining({ code: 'BAD_BINDINGS' }));
  });

  it.each([
    ['no step', { steps: 0, carry: {}, feed: [], collect: [] }],
    ['a carry between types', { steps: 2, carry: { tokens: 'rows' }, feed: [], collect: [] }],
    ['a carry and a feed of one input', { steps: 2, carry: { tokens: 'next' }, feed: ['tokens'], collect: [] }],
    ['a feed that does not exist', { steps: 2, carry: {}, feed: ['u'], collect: [] }],
    ['a collect that does not exist', { steps: 2, carry: {}, feed: [], collect: ['u'] }],
    ['a collect without room', { steps: 5, carry: { tokens: 'next' }, feed: [], collect: ['next'] }],
  ])('refuses a loop with %s', (_, loop) => {
    expect(() => checkBindings(graph, limits, bindings(), loop)).toThrow(
      expect.objectContaining({ code: 'BAD_BINDINGS' }),
    );
  });

  it('refuses buffers that a run would write behind another’s back', () => {
    const b = new GraphBuilder('g');
    const [x, y] = [b.input('x', 'f32', ['N']), b.input('y', 'f32', ['N'])];
    b.output('z', b.binary('add', x, y));
    const [shared, other, out] = [buffer('f32', 8), buffer('f32', 8), buffer('f32', 8)];
    const check = (
      inputs: Record<string, DeviceBuffer>,
      carry: Record<string, string>,
      variables: DeviceBuffer[] = [],
    ) =>
      checkBindings(
        b.build(),
        { N: 8 },
        { sizes: { N: 2 }, inputs, outputs: { z: out } },
        { steps: 2, carry, feed: [], collect: [] },
        variables,
      );
    expect(check({ x: shared, y: shared }, {})).toEqual({ N: 2 });
    expect(() => check({ x: shared, y: shared }, { x: 'z' })).toThrow(/written otherwise/);
    expect(() => check({ x: shared, y: shared }, { y: 'z' })).toThrow(/written otherwise/);
    expect(() => check({ x: shared, y: other }, {}, [other])).toThrow(/input y .*written otherwise/);
    expect(() => check({ x: shared, y: other }, {}, [out])).toThrow(/output z .*written otherwise/);
  });

  it('takes a loop whose buffers hold all steps', () => {
    const loop = { steps: 4, carry: { tokens: 'next' }, feed: [], collect: ['next'] };
    expect(checkBindings(graph, limits, bindings(), loop)).toEqual({ N: 2, Z: 3 });
  });
});
