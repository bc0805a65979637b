import { elementCount, type Node, type Sizes, type Value } from '@receptance/core';
import { axisSize, MAX_WORKGROUP, perElement, type Program, read, type Scratch, write } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { copyWhole } from './_copy.ts';

/**
 * Brings the state to where a time op updates it: nothing to do in the pooled form, whose state outputs are the pools.
 * @param states pairs of a state input and the output that is its new value
 */
export function beginState(states: readonly (readonly [Value, Value])[], slots: Value | undefined): Program[] {
  return slots === undefined ? states.map(([before, after]) => copyWhole(before, after)) : [];
}

/** Small or many operands as one, since a dispatch sees 8 buffers at most. */
export interface Packed {
  readonly program: Program;
  readonly scratch: Scratch;
  /** Where each part begins. */
  starts(sizes: Sizes): number[];
}

/** Copies up to four operands into scratch memory, one after the other, as words. */
export function pack(parts: readonly [Value, Value, Value, Value], scratch = 0): Packed {
  const ends = (sizes: Sizes): number[] => {
    let end = 0;
    return parts.map(({ shape }) => {
      end += elementCount(shape, sizes);
      return end;
    });
  };
  const memory: Scratch = { scratch, elements: (sizes) => ends(sizes)[3] ?? 0 };
  return {
    scratch: memory,
    starts: (sizes) => [0, ...ends(sizes)],
    program: {
      shader: shader('_pack'),
      bindings: [...parts.map(read), write(memory)],
      launch: (sizes) => ({ workgroups: perElement(memory.elements(sizes)), params: ends(sizes) }),
    },
  };
}

/** Params that the kernels with one workgroup for each head of each sequence begin with: count, heads, tokens, rows. */
export function headLaunch(stream: Value, starts: Value, state: Value, sizes: Sizes): number[] {
  const heads = axisSize(stream, 1, sizes);
  const count = (axisSize(starts, 0, sizes) - 1) * heads;
  return [count, heads, axisSize(stream, 0, sizes), axisSize(state, 0, sizes)];
}

/** Refuses heads wider than a workgroup, which has one invocation a channel. */
export function narrowHeads(node: Node): true | string {
  const size = node.inputs['k']?.shape.at(-1);
  if (typeof size !== 'number') return 'the head size must be a number';
  return size <= MAX_WORKGROUP || `heads of ${size} channels, at most ${MAX_WORKGROUP} are supported`;
}
