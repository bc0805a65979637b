import { randomSource } from '@receptance/benchmarks/random-weights';
import { transformerLike, transformerStep, transformerTensors } from '@receptance/benchmarks/transformer';
import type { Device } from '@receptance/core';
import type { Context } from './handlers.ts';
import { type OpenModel, openDevice } from './models.ts';
import type { ContextEvent, ContextPoint } from './protocol.ts';

/** Tokens that are timed at each length. */
const TIMED = 9;
/** Tokens before anything is timed. */
const WARMING = 32;

/**
 * What a token costs after texts of these lengths: of the open model, and of a transformer with as many layers, heads
 * and channels and a cache that long, both on one thread of WASM. The transformer's weights are random: time does not
 * depend on them.
 */
export async function measureContexts(
  { model }: OpenModel,
  lengths: readonly number[],
  { emit, signal }: Context<ContextEvent>,
): Promise<ContextEvent> {
  const rwkv: ContextPoint[] = [];
  const transformer: ContextPoint[] = [];
  const size = transformerLike(model);
  const source = randomSource('transformer/1', transformerTensors(size));
  const session = await model.session();
  try {
    await session.prefill([1]);
    // Engines compile what runs often anew: what comes before that is no measure.
    for (let i = 0; i < WARMING; i++) await session.decode({ greedy: true });
    for (const context of lengths) {
      signal.throwIfAborted();
      await session.prefill(
        Array.from(
          { length: Math.max(0, context - session.length) },
          (_, i) => 1 + ((i * 31) % (model.vocabularySize - 1)),
        ),
      );
      const milliseconds = await medianTime(() => session.decode({ greedy: true }));
      rwkv.push({ context, milliseconds, memoryBytes: model.memory.sessionBytes / 2 });
      const device = await openDevice('wasm', model.device.threads);
      try {
        transformer.push({
          context,
          milliseconds: await timeTransformer(device, source, transformerStep(size, context), context, size),
          memoryBytes: 2 * size.layers * context * size.width * 4,
        });
      } finally {
        await device.close();
      }
      emit({ rwkv: [...rwkv], transformer: [...transformer] });
    }
  } finally {
    await session.close();
  }
  return { rwkv, transformer };
}

async function timeTransformer(
  device: Device,
  source: ReturnType<typeof randomSource>,
  graph: ReturnType<typeof transformerStep>,
  context: number,
  { width, headSize }: ReturnType<typeof transformerLike>,
): Promise<number> {
  const heads = width / headSize;
  const parameters = await device.loadParameters(source, [graph]);
  const executable = await device.compile(graph, parameters, {});
  const [tokens, places, next] = [device.alloc('i32', 1), device.alloc('i32', heads), device.alloc('i32', 1)];
  device.write(
    places,
    Array.from({ length: heads }, (_, head) => (head + 1) * context - 1),
  );
  const bindings = { sizes: {}, inputs: { tokens, places }, outputs: { next } };
  return medianTime(async () => {
    await device.run(executable, bindings);
    await device.read(next);
  });
}

/** Milliseconds: the median is not moved by what else the machine does now and then. */
async function medianTime(token: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i <= TIMED; i++) {
    const began = performance.now();
    await token();
    times.push(performance.now() - began);
  }
  // The first finds nothing in the caches.
  const sorted = times.slice(1).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
