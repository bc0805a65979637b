import { concreteShape, type ReduceFn } from '@receptance/core';
import { type KernelOf, read, write } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { stridesOf, walkParams } from '../strided.ts';
import { fewAxes } from './_broadcasting.ts';

const FN: Readonly<Record<ReduceFn, number>> = { sum: 0, max: 1, mean: 2 };

export const reduce: KernelOf<'reduce'> = {
  accepts: fewAxes,
  lower: ({ x }, { y }, { fn, axes }) => [
    {
      shader: shader('reduce'),
      constants: { FN: FN[fn] },
      bindings: [read(x), write(y)],
      launch(sizes) {
        const shape = concreteShape(x.shape, sizes);
        const strides = stridesOf(shape);
        const walkOver = (folded: boolean) => {
          const chosen = shape.map((_, axis) => axis).filter((axis) => axes.includes(axis) === folded);
          const [sizesOf, stride] = [chosen.map((axis) => shape[axis] ?? 1), chosen.map((axis) => strides[axis] ?? 0)];
          const [count = 0, axisCount = 0, , , ...rest] = walkParams({ shape: sizesOf, strides: [stride] });
          return { count, axisCount, rest };
        };
        const [kept, folded] = [walkOver(false), walkOver(true)];
        const params = [kept.count, kept.axisCount, folded.count, folded.axisCount, ...kept.rest, ...folded.rest];
        return { workgroups: kept.count, params };
      },
    },
  ],
};
