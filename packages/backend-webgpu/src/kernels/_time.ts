import type { Node, Sizes, Value } from '@receptance/core';
import { axisSize, MAX_WORKGROUP, type Program } from '../kernel.ts';
import { copyWhole } from './_copy.ts';

/**
 * Brings the state to where a time op updates it: nothing to do in the pooled form, whose state outputs are the pools.
 * @param states pairs of a state input and the output that is its new value
 */
export function beginState(states: readonly (readonly [Value, Value])[], slots: Value | undefined): Program[] {
  return slots === undefined ? states.map(([before, after]) => copyWhole(before, after)) : [];
}

/** Params that the kernels with one workgroup for each head of each sequence begin with: count, heads, tokens, rows. */
export function headParams(stream: Value, starts: Value, state: Value, sizes: Sizes): number[] {
  const heads = axisSize(stream, 1, sizes);
  const count = (axisSize(starts, 0, sizes) - 1) * heads;
  return [count, heads, axisSize(stream, 0, sizes), axisSize(state, 0, sizes)];
}

/** The same for one invocation a channel of a sequence: count, width, tokens, rows. */
export function channelParams(stream: Value, starts: Value, state: Value, sizes: Sizes): number[] {
  const width = axisSize(stream, 1, sizes);
  const count = (axisSize(starts, 0, sizes) - 1) * width;
  return [count, width, axisSize(stream, 0, sizes), axisSize(state, 0, sizes)];
}

/** Tokens between two states that a backward pass keeps; those between are made again. */
const CHUNK = 16;

/**
 * Elements of the states that a backward pass of a matrix-valued memory works on: one every `CHUNK` tokens of each
 * sequence, then `CHUNK + 1` of the chunk at hand for each sequence.
 */
export function keptStates(stream: Value, starts: Value, sizes: Sizes): { kept: number; all: number } {
  const [tokens, heads, size] = [0, 1, 2].map((axis) => axisSize(stream, axis, sizes));
  const sequences = axisSize(starts, 0, sizes) - 1;
  const area = (heads ?? 0) * (size ?? 0) ** 2;
  const kept = (Math.floor((tokens ?? 0) / CHUNK) + sequences + 1) * area;
  return { kept, all: kept + sequences * (CHUNK + 1) * area };
}

/** Refuses heads wider than a workgroup, which has one invocation a channel. */
export function narrowHeads(node: Node): true | string {
  const size = node.inputs['k']?.shape.at(-1);
  if (typeof size !== 'number') return 'the head size must be a number';
  return size <= MAX_WORKGROUP || `heads of ${size} channels, at most ${MAX_WORKGROUP} are supported`;
}
