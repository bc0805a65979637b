import {
  type DeviceInfo,
  GraphBuilder,
  type Kernel,
  prepare,
  resolveParameters,
  type WeightSource,
} from '@receptance/core';
import { describe, expect, it } from 'vitest';

const info: DeviceInfo = { backend: 'test', adapter: 'none', threads: 1, float: 'f32', ragged: true };
const kernel: Kernel = {};
const table = { linear: [kernel], stateRead: [kernel] };
const source: WeightSource = {
  tensors: new Map([['w', { dtype: 'f32', shape: [4, 2], bytes: 32 }]]),
  read: async () => new Uint8Array(32),
};

function graph(rows: number, name = 'w', pool = 3) {
  const b = new GraphBuilder('g');
  b.output('y', b.linear(b.input('x', 'f32', ['N', 2]), b.parameter(name, 'f32', [rows, 2])));
  const slots = b.input('slots', 'i32', ['S']);
  b.output('s', b.add('stateRead', { pool: b.variable('pool', 'f32', ['Z', pool]), slots }).y);
  return b.build();
}

const limits = { Z: 5 };
const loaded = { entries: resolveParameters(source, [graph(4)], limits), limits };

describe('prepare', () => {
  it('plans, with a kernel for every step and a size for every symbol', () => {
    const prepared = prepare(graph(4), table, info, loaded, { N: 8, S: 2 });
    expect(prepared.kernels).toEqual([kernel, kernel]);
    expect(prepared.limits).toEqual({ N: 8, S: 2, Z: 5 });
  });

  it.each([
    ['a parameter of another shape', graph(8), 'BAD_GRAPH'],
    ['a variable of another shape', graph(4, 'w', 9), 'BAD_GRAPH'],
    ['a parameter that was not loaded', graph(4, 'v'), 'MISSING_TENSOR'],
  ])('refuses %s', (_, other, code) => {
    expect(() => prepare(other, table, info, loaded, { N: 8, S: 2 })).toThrow(expect.objectContaining({ code }));
  });

  it.each([[{ N: 8 }], [{ N: Number.NaN, S: 1 }], [{ N: -1, S: 1 }], [{ N: 1.5, S: 1 }], [{ N: 8, S: 2, Z: 4 }]])(
    'refuses the limits %o',
    (given) => {
      expect(() => prepare(graph(4), table, info, loaded, given)).toThrow(
        expect.objectContaining({ code: 'BAD_LIMITS' }),
      );
    },
  );

  it('says which op has no kernel', () => {
    expect(() => prepare(graph(4), {}, info, loaded, { N: 8, S: 2 })).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_OP' }),
    );
  });
});
