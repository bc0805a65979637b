import { concreteShape, type Sizes, type Value } from '@receptance/core';
import { type Program, perElement, read, write } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { stridesOf, walkParams } from '../strided.ts';

/** What a copy visits: an index space, where it begins and how it goes on in `x` and in `y`. */
export interface Route {
  readonly shape: readonly number[];
  readonly x: { readonly base: number; readonly strides: readonly number[] };
  readonly y: { readonly base: number; readonly strides: readonly number[] };
}

/** Moves elements of `x` to other places in `y`, along a route known when the sizes are. */
export function copyAlong(x: Value, y: Value, route: (from: number[], to: number[]) => Route): Program {
  return {
    shader: shader('copy'),
    bindings: [read(x), write(y)],
    launch(sizes: Sizes) {
      const way = route(concreteShape(x.shape, sizes), concreteShape(y.shape, sizes));
      const params = walkParams({ shape: way.shape, strides: [way.x.strides, way.y.strides] }, [
        way.x.base,
        way.y.base,
      ]);
      return { workgroups: perElement(params[0] ?? 0), params };
    },
  };
}

/** The same elements in the same order. */
export function copyWhole(x: Value, y: Value): Program {
  return copyAlong(x, y, (shape) => {
    const end = { base: 0, strides: stridesOf(shape) };
    return { shape, x: end, y: end };
  });
}
