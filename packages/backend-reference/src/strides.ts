/** Row-major strides of a shape. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = (strides[axis + 1] ?? 1) * (shape[axis + 1] ?? 1);
  }
  return strides;
}

/** Walks all places of `shape` in row-major order; `places` has where each operand stands, by its own strides. */
export function forEachPlace(
  shape: readonly number[],
  strides: readonly (readonly number[])[],
  visit: (index: number, places: readonly number[]) => void,
): void {
  const total = shape.reduce((product, size) => product * size, 1);
  const counter = new Array<number>(shape.length).fill(0);
  const places = strides.map(() => 0);
  for (let index = 0; index < total; index++) {
    visit(index, places);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = shape[axis] ?? 1;
      const next = (counter[axis] ?? 0) + 1;
      const step = next < size ? 1 : 1 - size;
      counter[axis] = next < size ? next : 0;
      for (let k = 0; k < places.length; k++) places[k] = (places[k] ?? 0) + step * (strides[k]?.[axis] ?? 0);
      if (next < size) break;
    }
  }
}

/** `forEachPlace` over operands that broadcast to `shape`, axes aligned at the right. */
export function forEachBroadcast(
  shape: readonly number[],
  operands: readonly (readonly number[])[],
  visit: (index: number, places: readonly number[]) => void,
): void {
  const strides = operands.map((operand) => {
    const own = stridesOf(operand);
    const lead = shape.length - operand.length;
    return shape.map((_, axis) => (axis < lead || operand[axis - lead] === 1 ? 0 : (own[axis - lead] ?? 0)));
  });
  forEachPlace(shape, strides, visit);
}
