import {
  concreteShape,
  type Device,
  elementCount,
  type LanguageModel,
  type Parameters,
  traceGraph,
} from '@receptance/core';
import { badOption } from './generate-options.ts';
import type { SavedTensor } from './saved-state.ts';

/** A trace holds some numbers per token and channel; longer texts are for `Session`. */
export const MOST_TRACED = 4096;

/**
 * What the memory of one layer was given, token by token: enough to compute its every state, and how much each token
 * still counts for a later one. `docs/spec` has a page on each of the three ops.
 */
export interface Trace {
  /** `wkv4` (RWKV-4), `wkv6` (5 and 6) or `wkv7`. */
  readonly op: string;
  readonly layer: number;
  readonly tokens: readonly number[];
  /**
   * By the names of the op's inputs, but `starts`: `k`, `v` [N,C] and the like for `wkv4`; `r`, `lw`, `k`, `v` [N,H,D]
   * for the others, where `lw` of RWKV-5 is [H,D]; the initial state [1,…] as `s0`.
   */
  readonly inputs: Readonly<Record<string, SavedTensor>>;
}

export function checkTrace(tokens: readonly number[], layer: number, layers: number): void {
  if (!Number.isInteger(layer) || layer < 0 || layer >= layers) {
    throw badOption(`layer is ${layer}`, `it must be a whole number from 0 to ${layers - 1}`);
  }
  if (tokens.length > MOST_TRACED) {
    throw badOption(`${tokens.length} tokens are too many to trace`, `give at most ${MOST_TRACED}`);
  }
}

/** Runs the model up to a layer, beside all sessions. */
export async function traceOn(
  {
    device,
    model,
    parameters,
  }: { readonly device: Device; readonly model: LanguageModel; readonly parameters: Parameters },
  tokens: readonly number[],
  layer: number,
): Promise<Trace> {
  const { graph, op } = traceGraph(model, layer);
  const sizes = { N: tokens.length };
  const executable = await device.compile(graph, parameters, sizes);
  const inputs = { tokens: device.alloc('i32', tokens.length), starts: device.alloc('i32', 2) };
  const traced = Object.entries(graph.outputs).map(([name, value]) => {
    const shape = concreteShape(value.shape, sizes);
    return { name, shape, buffer: device.alloc('f32', elementCount(shape)) };
  });
  try {
    device.write(inputs.tokens, tokens);
    device.write(inputs.starts, [0, tokens.length]);
    const outputs = Object.fromEntries(traced.map(({ name, buffer }) => [name, buffer]));
    await device.run(executable, { sizes, inputs, outputs });
    const read: Record<string, SavedTensor> = {};
    for (const { name, shape, buffer } of traced) read[name] = { shape, data: await device.read(buffer) };
    return { op, layer, tokens: [...tokens], inputs: read };
  } finally {
    for (const { buffer } of traced) device.free(buffer);
    device.free(inputs.tokens);
    device.free(inputs.starts);
    executable.free();
  }
}
