import type { Sizes } from '@receptance/core';
import {
  axisSize,
  type KernelOf,
  MAX_WORKGROUP,
  type Operand,
  read,
  type Scratch,
  WORKGROUP,
  write,
} from '../kernel.ts';
import { shader } from '../shaders.ts';

/** Columns of a row from which on it is looked through in parts, each by a workgroup, and then what they found. */
const PART = 1024;

export const argmax: KernelOf<'argmax'> = {
  lower({ x }, { y }, _attrs, { limits }) {
    const rows = (sizes: Sizes): number => axisSize(x, 0, sizes);
    const width = (sizes: Sizes): number => axisSize(x, 1, sizes);
    const partsOf = (sizes: Sizes): number => Math.ceil(width(sizes) / PART);
    const pass = (
      listed: Operand | undefined,
      found: Operand,
      parts: (sizes: Sizes) => number,
      length: typeof parts,
    ) => ({
      shader: shader('argmax'),
      constants: { WG: found === y ? WORKGROUP : MAX_WORKGROUP, LISTED: Number(listed !== undefined) },
      bindings: [read(x), read(listed ?? x), write(found)],
      launch(sizes: Sizes) {
        const count = rows(sizes) * parts(sizes);
        return { workgroups: count, params: [count, width(sizes), parts(sizes), length(sizes)] };
      },
    });
    const whole = (): number => 1;
    if (width(limits) <= PART) return [pass(undefined, y, whole, width)];
    const best: Scratch = { scratch: 0, elements: (sizes) => rows(sizes) * partsOf(sizes) };
    return [pass(undefined, best, partsOf, () => PART), pass(best, y, whole, partsOf)];
  },
};
