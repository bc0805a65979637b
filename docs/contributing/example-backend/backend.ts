/**
 * A backend in plain JavaScript, whole: a dozen kernels, each as short as it can be. `../add-a-backend.md` walks through it.
 */
import {
  type Backend,
  type BinaryFn,
  type DeviceInfo,
  type HostArray,
  HostDevice,
  type HostKernel,
  type HostKernelOf,
  type HostTensor,
  type KernelTable,
  type UnaryFn,
} from '@receptance/core';

const UNARY: Readonly<Record<UnaryFn, (x: number) => number>> = {
  ...{ neg: (x) => -x, abs: Math.abs, exp: Math.exp, log: Math.log, sqrt: Math.sqrt, reciprocal: (x) => 1 / x },
  ...{ sigmoid: (x) => 1 / (1 + Math.exp(-x)), tanh: Math.tanh, relu: (x) => Math.max(x, 0) },
};
const BINARY: Readonly<Record<BinaryFn, (a: number, b: number) => number>> = {
  ...{ add: (a, b) => a + b, sub: (a, b) => a - b, mul: (a, b) => a * b, div: (a, b) => a / b },
  ...{ min: Math.min, max: Math.max },
};

const at = (data: HostArray, i: number): number => data[i] ?? 0;
const width = ({ shape }: HostTensor): number => shape.at(-1) ?? 1;
/** Row `i` of numbers that lie in rows of `size`: a view, not a copy. */
const row = (data: HostArray, i: number, size: number): HostArray => data.subarray(i * size, (i + 1) * size);

/** Where element `i` of `shape` stands in an operand that broadcasts to it: axes are aligned at the right. */
function placeIn(operand: readonly number[], shape: readonly number[], i: number): number {
  let [place, stride, rest] = [0, 1, i];
  for (let back = 1; back <= operand.length; back++) {
    const [size, length] = [operand.at(-back) ?? 1, shape.at(-back) ?? 1];
    if (size > 1) place += (rest % length) * stride;
    rest = Math.floor(rest / length);
    stride *= size;
  }
  return place;
}

function each({ data, shape }: HostTensor, operands: readonly HostTensor[], value: (...x: number[]) => number): void {
  for (let i = 0; i < data.length; i++) {
    data[i] = value(...operands.map((x) => at(x.data, placeIn(x.shape, shape, i))));
  }
}

const unary: HostKernelOf<'unary'> = { run: ({ x }, { y }, { fn }) => each(y, [x], (p = 0) => UNARY[fn](p)) };
const binary: HostKernelOf<'binary'> = {
  run: ({ a, b }, { y }, { fn }) => each(y, [a, b], (p = 0, q = 0) => BINARY[fn](p, q)),
};
const select: HostKernelOf<'select'> = {
  run: ({ condition, a, b }, { y }) => each(y, [condition, a, b], (c, p = 0, q = 0) => (c === 0 ? q : p)),
};
const cast: HostKernelOf<'cast'> = { run: ({ x }, { y }) => each(y, [x], (p = 0) => p) };
const broadcast: HostKernelOf<'broadcast'> = { run: ({ x }, { y }) => each(y, [x], (p = 0) => p) };
const full: HostKernelOf<'full'> = { run: (_, { y }, { value }) => each(y, [], () => value) };

const reduce: HostKernelOf<'reduce'> = {
  accepts: ({ attrs }) => attrs['fn'] === 'sum' || 'only sums',
  run({ x }, { y }, { axes }) {
    const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    x.data.forEach((value, i) => {
      const place = placeIn(kept, x.shape, i);
      y.data[place] = at(y.data, place) + value;
    });
  },
};

const argmax: HostKernelOf<'argmax'> = {
  run({ x }, { y }) {
    y.data.forEach((_, r) => {
      const scores = row(x.data, r, width(x));
      let best = 0;
      for (let v = 1; v < scores.length; v++) if (at(scores, v) > at(scores, best)) best = v;
      y.data[r] = best;
    });
  },
};

const gather: HostKernelOf<'gather'> = {
  run({ table, ids }, { y }) {
    const last = table.data.length / width(table) - 1;
    // Whatever stands in `ids`, nothing outside the table is read.
    const held = (id: number): number => Math.min(Math.max(id, 0), last);
    ids.data.forEach((id, n) => {
      y.data.set(row(table.data, held(id), width(y)), n * width(y));
    });
  },
};

const linear: HostKernelOf<'linear'> = {
  run({ x, w }, { y }, { transposed }) {
    const [inner, outer] = [width(x), width(y)];
    y.data.forEach((_, place) => {
      const [n, o] = [Math.floor(place / outer), place % outer];
      let sum = 0;
      for (let i = 0; i < inner; i++) {
        sum += at(x.data, n * inner + i) * at(w.data, transposed ? i * outer + o : o * inner + i);
      }
      y.data[place] = sum;
    });
  },
};

const tokenShift: HostKernelOf<'tokenShift'> = {
  accepts: ({ inputs }) => !('slots' in inputs) || 'states are not updated in their pool',
  run({ x, prev, starts }, { y, last }) {
    starts.data.subarray(1).forEach((end, s) => {
      let before = row(prev.data, s, width(x));
      for (let t = at(starts.data, s); t < end; t++) {
        y.data.set(before, t * width(x));
        before = row(x.data, t, width(x));
      }
      last.data.set(before, s * width(x));
    });
  },
};

const stateRead: HostKernelOf<'stateRead'> = {
  run({ pool, slots }, { y }) {
    const size = y.data.length / Math.max(slots.data.length, 1);
    slots.data.forEach((slot, s) => {
      y.data.set(row(pool.data, slot, size), s * size);
    });
  },
};

const stateWrite: HostKernelOf<'stateWrite'> = {
  run({ slots, value }, { y }) {
    const size = value.data.length / Math.max(slots.data.length, 1);
    slots.data.forEach((slot, s) => {
      y.data.set(row(value.data, s, size), slot * size);
    });
  },
};

/** By op; the first kernel that accepts a node serves it. What is not here is decomposed, or refused. */
const kernels: KernelTable<HostKernel> = {
  ...{ unary: [unary], binary: [binary], select: [select], cast: [cast], broadcast: [broadcast], full: [full] },
  ...{ reduce: [reduce], argmax: [argmax], gather: [gather], linear: [linear], tokenShift: [tokenShift] },
  ...{ stateRead: [stateRead], stateWrite: [stateWrite] },
};

const INFO: DeviceInfo = { backend: 'example', adapter: 'plain JavaScript', threads: 1, float: 'f32', ragged: true };

export function example(): Backend {
  return { specVersion: 1, name: 'example', open: async () => new HostDevice(INFO, kernels) };
}
