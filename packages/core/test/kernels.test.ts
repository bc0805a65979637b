import { type DeviceInfo, extendKernels, GraphBuilder, type Kernel, type Node, selectKernel } from '@receptance/core';
import { describe, expect, it } from 'vitest';

const info: DeviceInfo = { backend: 'test', adapter: 'none', threads: 1, float: 'f32', ragged: true };
const any: Kernel & { id: string } = { id: 'any' };
const never: Kernel & { id: string } = { id: 'never', accepts: () => 'too wide' };

function node(): Node {
  const b = new GraphBuilder('g');
  b.output('y', b.unary('exp', b.input('x', 'f32', [1])));
  const found = b.build().nodes[1];
  if (found === undefined) throw new Error('no node');
  return found;
}

describe('kernel tables', () => {
  it('pick the first kernel that accepts', () => {
    expect(selectKernel({ unary: [never, any] }, node(), info)).toBe(any);
  });

  it('give the reason when none does', () => {
    expect(selectKernel({ unary: [never] }, node(), info)).toBe('too wide');
    expect(selectKernel({}, node(), info)).toBe('no kernel of that name');
  });

  it('put contributed kernels first', () => {
    const mine: Kernel & { id: string } = { id: 'mine' };
    expect(selectKernel(extendKernels({ unary: [any] }, { unary: [mine] }), node(), info)).toBe(mine);
    expect(selectKernel(extendKernels({ unary: [any] }, { unary: [never] }), node(), info)).toBe(any);
  });
});
