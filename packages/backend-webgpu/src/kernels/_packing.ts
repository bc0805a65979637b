import { elementCount, type Sizes, type Value } from '@receptance/core';
import { type Program, perElement, read, type Scratch, write } from '../kernel.ts';
import { shader } from '../shaders.ts';

/** Operands a dispatch of `_pack.wgsl` moves. */
const PARTS = 4;

/** Several operands as one, since a dispatch sees 8 buffers at most. */
export interface Packed {
  readonly programs: readonly Program[];
  readonly scratch: Scratch;
  /** Where each part begins. */
  offsets(sizes: Sizes): number[];
}

/** Copies operands into scratch memory, one after the other, as words. */
export function pack(parts: readonly Value[], scratch = 0): Packed {
  const offsets = (sizes: Sizes): number[] => offsetsOf(parts, sizes);
  const memory: Scratch = { scratch, elements: (sizes) => endOf(parts, sizes) };
  const groups = Array.from({ length: Math.ceil(parts.length / PARTS) }, (_, i) => i * PARTS);
  const programs = groups.map((first): Program => {
    const group = parts.slice(first, first + PARTS);
    const bound = Array.from({ length: PARTS }, (_, i) => read(group[i] ?? group[0] ?? memory));
    return {
      shader: shader('_pack'),
      bindings: [...bound, write(memory)],
      launch(sizes) {
        const count = endOf(group, sizes);
        const ends = [...offsetsOf(group, sizes).slice(1), ...new Array<number>(PARTS).fill(count)].slice(0, PARTS);
        return { workgroups: perElement(count), params: [offsets(sizes)[first] ?? 0, 0, 0, 0, ...ends] };
      },
    };
  });
  return { programs, scratch: memory, offsets };
}

/** Copies parts of scratch memory, which lie there one after the other in this order, to their outputs. */
export function unpack(scratch: Scratch, parts: readonly Value[]): Program[] {
  return parts.map((part, i) => ({
    shader: shader('copy'),
    bindings: [read(scratch), write(part)],
    launch(sizes) {
      const count = elementCount(part.shape, sizes);
      const axes = [count, 0, 0, 0, 0, 0, 0, 0];
      const steps = [1, 0, 0, 0, 0, 0, 0, 0];
      const from = offsetsOf(parts, sizes)[i] ?? 0;
      return { workgroups: perElement(count), params: [count, 1, from, 0, ...axes, ...steps, ...steps] };
    },
  }));
}

/** Sums of gradients of a weight over sequences, each of which has left its own from `at(sizes)` on: [S, …y]. */
export function sumSequences(scratch: Scratch, at: (sizes: Sizes) => number, sequences: Value, y: Value): Program {
  return {
    shader: shader('_sumSequences'),
    bindings: [read(scratch), write(y)],
    launch(sizes) {
      const width = elementCount(y.shape, sizes);
      const count = elementCount(sequences.shape.slice(0, 1), sizes);
      return { workgroups: perElement(width), params: [width, count, at(sizes)] };
    },
  };
}

/** Elements of all parts together. */
export function endOf(parts: readonly Value[], sizes: Sizes): number {
  return parts.reduce((sum, { shape }) => sum + elementCount(shape, sizes), 0);
}

function offsetsOf(parts: readonly Value[], sizes: Sizes): number[] {
  return parts.map((_, i) => endOf(parts.slice(0, i), sizes));
}
