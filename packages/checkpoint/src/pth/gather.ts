import { wordsOf } from '@receptance/core';
import type { Axis, View } from './view.ts';
import { byStride, extentOf } from './view.ts';

/** Bytes of the storage held in memory at a time. */
export const WINDOW: number = 2 ** 23;

/** Reads bytes `[start, end)` of a storage. */
export type ReadStorage = (start: number, end: number) => Promise<Uint8Array>;

/**
 * Elements `[first, last)` of a view in row-major order. The storage is read front to back through a window of
 * 8 MiB, and only where the view reaches.
 *
 * @param width bytes of an element
 */
export async function gather(
  read: ReadStorage,
  view: View,
  width: number,
  first: number,
  last: number,
): Promise<Uint8Array> {
  const out = new Uint8Array((last - first) * width);
  if (out.length === 0) return out;
  const part = restrict(view, first, last);
  const axes = byStride(part.axes);
  const window = new Window(read, width, part.offset + extentOf(part.axes));
  const target = { bytes: out, words: wordsOf(out, width) };
  const { size, stride, step } = axes.at(-1) ?? { size: 1, stride: 1, step: 1 };
  for (const { from, to } of positions(axes.slice(0, -1), part.offset, part.firstElement - first)) {
    const low = Math.max(0, Math.ceil(-to / step));
    const high = Math.min(size, Math.ceil((last - first - to) / step));
    for (let i = low; i < high; ) {
      const source = from + i * stride;
      if (!window.has(source)) await window.moveTo(source);
      const reach = stride === 0 ? high : i + Math.ceil((window.end - source) / stride);
      const stop = Math.min(high, reach);
      window.copy(source, stride, target, to + i * step, step, stop - i);
      i = stop;
    }
  }
  return out;
}

/** The part of a view whose rows hold elements `[first, last)`: the outermost axes are cut as far as that goes. */
function restrict(view: View, first: number, last: number): View & { readonly firstElement: number } {
  let { offset } = view;
  let firstElement = 0;
  const axes = [...view.axes];
  for (let axis = axes[0]; axis !== undefined; axis = axes[0]) {
    const low = Math.floor((first - firstElement) / axis.step);
    const high = Math.ceil((last - firstElement) / axis.step);
    offset += low * axis.stride;
    firstElement += low * axis.step;
    axes[0] = { ...axis, size: high - low };
    if (high - low > 1) break;
    axes.shift();
  }
  return { offset, axes, elements: last - first, firstElement };
}

interface Position {
  /** Element of the storage. */
  from: number;
  /** Element of the result; outside of it where the rows at the edges are not wanted whole. */
  to: number;
}

/** Every position of the axes, the last one moving fastest. The object is the same each time. */
function* positions(axes: readonly Axis[], from: number, to: number): Generator<Readonly<Position>> {
  const position: Position = { from, to };
  const counts = axes.map(() => 0);
  for (;;) {
    yield position;
    let i = axes.length - 1;
    for (; i >= 0; i--) {
      const { size, stride, step } = axes[i] ?? { size: 1, stride: 0, step: 0 };
      const count = (counts[i] ?? 0) + 1;
      if (count < size) {
        counts[i] = count;
        position.from += stride;
        position.to += step;
        break;
      }
      counts[i] = 0;
      position.from -= (size - 1) * stride;
      position.to -= (size - 1) * step;
    }
    if (i < 0) return;
  }
}

class Window {
  readonly #width: number;
  readonly #read: ReadStorage;
  readonly #limit: number;
  #bytes: Uint8Array = new Uint8Array(0);
  #words: Words;
  #start = 0;

  constructor(read: ReadStorage, width: number, limit: number) {
    this.#read = read;
    this.#width = width;
    this.#limit = limit;
  }

  /** The first element after the window. */
  get end(): number {
    return this.#start + this.#bytes.length / this.#width;
  }

  has(element: number): boolean {
    return element >= this.#start && element < this.end;
  }

  async moveTo(element: number): Promise<void> {
    const end = Math.min(this.#limit, element + WINDOW / this.#width);
    this.#bytes = await this.#read(element * this.#width, end * this.#width);
    this.#words = wordsOf(this.#bytes, this.#width);
    this.#start = element;
  }

  copy(from: number, stride: number, out: Target, to: number, step: number, count: number): void {
    const width = this.#width;
    const bytes = this.#bytes;
    let source = (from - this.#start) * width;
    let target = to * width;
    if (stride === 1 && step === 1) {
      out.bytes.set(bytes.subarray(source, source + count * width), target);
    } else if (this.#words !== undefined && out.words !== undefined) {
      copyWords(this.#words, from - this.#start, stride, out.words, to, step, count);
    } else {
      for (let i = 0; i < count; i++) {
        for (let byte = 0; byte < width; byte++) out.bytes[target + byte] = bytes[source + byte] ?? 0;
        source += stride * width;
        target += step * width;
      }
    }
  }
}

/** Elements as whole numbers, which move faster than byte by byte. */
type Words = ReturnType<typeof wordsOf>;

interface Target {
  readonly bytes: Uint8Array;
  readonly words: Words;
}

function copyWords(
  from: Exclude<Words, undefined>,
  source: number,
  stride: number,
  to: Exclude<Words, undefined>,
  target: number,
  step: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) to[target + i * step] = from[source + i * stride] ?? 0;
}
