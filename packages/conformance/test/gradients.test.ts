import { reference } from '@receptance/backend-reference';
import { concreteShape, definitionOf, elementCount, ops } from '@receptance/core';
import { describe, expect, it } from 'vitest';
import { specs } from '../src/cases/index.ts';
import { slopesOf } from '../src/gradients.ts';
import type { OpSpec } from '../src/spec.ts';

/** Many runs each: the large cases show nothing that the small ones do not. */
const LARGEST = 2500;

function elementsOf({ inputs, sizes }: OpSpec): number {
  return Object.values(inputs).reduce((sum, { shape }) => sum + elementCount(concreteShape(shape, sizes ?? {})), 0);
}

describe('gradients by finite differences', async () => {
  const device = await reference().open();
  const tried = new Set<string>();
  for (const op of new Set(specs.map((spec) => spec.op))) {
    it(op, async () => {
      for (const spec of specs.filter((line) => line.op === op && elementsOf(line) <= LARGEST)) {
        for (const slope of (await slopesOf(device, spec)) ?? []) {
          tried.add(op);
          expect(slope.error, `${spec.op} ${spec.name} ${JSON.stringify(slope)}`).toBeLessThan(1e-6);
        }
      }
    });
  }

  it('covers every op that has a derivative', () => {
    const differentiable = Object.keys(ops).filter((op) => {
      const { kind, vjp } = definitionOf(op);
      return kind === 'composite' || vjp !== undefined;
    });
    expect([...tried].sort()).toEqual(differentiable.sort());
  });
});
