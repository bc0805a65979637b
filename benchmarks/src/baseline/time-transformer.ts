import { type Backend, ReceptanceError } from '@receptance/core';
import { randomSource } from '../models/random-weights.ts';
import type { ContextCost } from '../report/report.ts';
import { type TransformerSize, transformerStep, transformerTensors } from './transformer.ts';

/**
 * What a token of the transformer costs after texts of these lengths: milliseconds, and the bytes of its cache. A cache that does not fit into
 * the device's memory ends the row.
 */
export async function timeTransformer(
  backend: Backend,
  size: TransformerSize,
  seed: number,
  contexts: readonly number[],
  tokens: number,
): Promise<ContextCost[]> {
  const source = randomSource(`transformer/${seed}`, transformerTensors(size));
  const heads = size.width / size.headSize;
  const costs: ContextCost[] = [];
  for (const context of contexts) {
    const device = await backend.open();
    try {
      const graph = transformerStep(size, context);
      const parameters = await device.loadParameters(source, [graph]);
      const executable = await device.compile(graph, parameters, {});
      const [token, next] = [device.alloc('i32', 1), device.alloc('i32', 1)];
      const places = device.alloc('i32', heads);
      device.write(
        places,
        Array.from({ length: heads }, (_, head) => (head + 1) * context - 1),
      );
      const bindings = { sizes: {}, inputs: { tokens: token, places }, outputs: { next } };
      const run = async (steps: number): Promise<number> => {
        const began = performance.now();
        await device.run(executable, bindings, { steps, carry: { tokens: 'next' }, feed: [], collect: [] });
        await device.read(next);
        return (performance.now() - began) / steps;
      };
      await run(1);
      costs.push({ context, milliseconds: await run(tokens), memoryBytes: 2 * size.layers * context * size.width * 4 });
    } catch (error) {
      if (!ReceptanceError.isInstance(error) || error.code !== 'OUT_OF_MEMORY') throw error;
      return costs;
    } finally {
      await device.close();
    }
  }
  return costs;
}
