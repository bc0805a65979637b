/** How index arithmetic over any number of axes is given to a shader. The prelude's `place` reads it. */

/** Axes that a shader's `params` have room for. */
export const MAX_AXES = 8;

/** Row-major strides of a shape. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = (strides[axis + 1] ?? 1) * (shape[axis + 1] ?? 1);
  }
  return strides;
}

/** Strides by which a tensor of shape `from` is read under shape `to`, axes aligned at the right. */
export function broadcastStrides(from: readonly number[], to: readonly number[]): number[] {
  const own = stridesOf(from);
  const lead = to.length - from.length;
  return to.map((_, axis) => (axis < lead || from[axis - lead] === 1 ? 0 : (own[axis - lead] ?? 0)));
}

/** Places of an index space in each of several operands. */
export interface Walk {
  readonly shape: readonly number[];
  readonly strides: readonly (readonly number[])[];
}

/** The same walk over as few axes as possible: axes of length 1 dropped, neighbours joined where every operand allows. */
export function mergeAxes({ shape, strides }: Walk): Walk {
  const sizes: number[] = [];
  const merged: number[][] = strides.map(() => []);
  shape.forEach((size, axis) => {
    if (size === 1) return;
    const last = sizes.length - 1;
    const joins = last >= 0 && strides.every((own, k) => merged[k]?.[last] === (own[axis] ?? 0) * size);
    if (joins) sizes[last] = (sizes[last] ?? 1) * size;
    else sizes.push(size);
    strides.forEach((own, k) => {
      const target = merged[k];
      if (target !== undefined) target[joins ? last : target.length] = own[axis] ?? 0;
    });
  });
  return { shape: sizes, strides: merged };
}

/** Words of a WGSL struct `count, axes, two bases, shape: Axes, strides: Axes of each operand`. */
export function walkParams(walk: Walk, bases: readonly [number, number] = [0, 0]): number[] {
  const { shape, strides } = mergeAxes(walk);
  const count = shape.reduce((product, size) => product * size, 1);
  return [count, shape.length, ...bases, ...padded(shape), ...strides.flatMap(padded)];
}

function padded(list: readonly number[]): number[] {
  return [...list.toReversed(), ...new Array<number>(MAX_AXES - list.length).fill(0)];
}
