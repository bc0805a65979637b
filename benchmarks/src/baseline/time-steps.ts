import { type Backend, type Graph, ReceptanceError } from '@receptance/core';
import { randomSource } from '../models/random-weights.ts';
import type { TensorShape } from '../models/tensors.ts';
import type { ContextCost } from '../report/report.ts';
import { type AftSize, aftStateSize, aftStep } from './aft.ts';
import { type TransformerSize, transformerStep, transformerTensors } from './transformer.ts';

/** One step of a baseline after a text of some length. */
export interface DecodeStep {
  /** inputs beside `inputs`: tokens i32[1]; outputs: next i32[1] and others */
  readonly graph: Graph;
  readonly tensors: readonly TensorShape[];
  readonly inputs: Readonly<Record<string, { readonly dtype: 'i32' | 'f32'; readonly data: readonly number[] }>>;
  /** Of what holds the text. */
  readonly memoryBytes: number;
}

/**
 * What a token of a baseline costs after texts of these lengths: milliseconds, and the bytes that hold the text. A cache that does not fit
 * into the device's memory ends the row.
 */
export async function timeSteps(
  backend: Backend,
  stepAt: (context: number) => DecodeStep,
  seed: number,
  contexts: readonly number[],
  tokens: number,
): Promise<ContextCost[]> {
  const costs: ContextCost[] = [];
  for (const context of contexts) {
    const { graph, tensors, inputs: given, memoryBytes } = stepAt(context);
    const device = await backend.open();
    try {
      const parameters = await device.loadParameters(randomSource(`transformer/${seed}`, tensors), [graph]);
      const executable = await device.compile(graph, parameters, {});
      const [token, next] = [device.alloc('i32', 1), device.alloc('i32', 1)];
      const inputs = { tokens: token };
      for (const [name, { dtype, data }] of Object.entries(given)) {
        const buffer = device.alloc(dtype, data.length);
        device.write(buffer, data);
        Object.assign(inputs, { [name]: buffer });
      }
      const bindings = { sizes: {}, inputs, outputs: { next } };
      const run = async (steps: number): Promise<number> => {
        const began = performance.now();
        await device.run(executable, bindings, { steps, carry: { tokens: 'next' }, feed: [], collect: [] });
        await device.read(next);
        return (performance.now() - began) / steps;
      };
      await run(1);
      costs.push({ context, milliseconds: await run(tokens), memoryBytes });
    } catch (error) {
      if (!ReceptanceError.isInstance(error) || error.code !== 'OUT_OF_MEMORY') throw error;
      return costs;
    } finally {
      await device.close();
    }
  }
  return costs;
}

/** Of the transformer, whose cache of keys and values is full. */
export function transformerAt(size: TransformerSize): (context: number) => DecodeStep {
  const heads = size.width / size.headSize;
  return (context) => ({
    ...{ graph: transformerStep(size, context), tensors: transformerTensors(size) },
    inputs: { places: { dtype: 'i32', data: Array.from({ length: heads }, (_, head) => (head + 1) * context - 1) } },
    memoryBytes: 2 * size.layers * context * size.width * 4,
  });
}

/** Of an AFT, whose sums hold a text of any length. */
export function aftAt(size: AftSize): (context: number) => DecodeStep {
  const { window } = size;
  const ring: DecodeStep['inputs'] =
    window === undefined
      ? {}
      : {
          place: { dtype: 'i32', data: [0] },
          near: { dtype: 'f32', data: Array.from({ length: window }, () => 0) },
          leaving: { dtype: 'f32', data: [1] },
        };
  const step = {
    ...{ graph: aftStep(size), tensors: transformerTensors({ ...size, headSize: size.width }) },
    ...{ inputs: ring, memoryBytes: 4 * aftStateSize(size) },
  };
  return () => step;
}
