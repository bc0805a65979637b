import {
  type Backend,
  type DeviceBuffer,
  detectModel,
  type Executable,
  elementCount,
  greedyGraph,
  type LanguageModel,
  leaves,
  logitsGraph,
  resetGraph,
  type WeightSource,
} from '@receptance/core';

/** One backend with a model on it, ready to be measured. */
export interface Workload {
  readonly name: string;
  readonly adapter: string;
  /** Milliseconds to open the device, load the weights and compile. */
  readonly loadMs: number;
  /** Bytes of weights that a decoded token reads, as the device holds them. */
  readonly weightBytes: number;
  /** Decodes `tokens` tokens greedily in one run; milliseconds. */
  decode(tokens: number): Promise<number>;
  /** Computes the logits of the last of `tokens` tokens in one run; milliseconds. */
  prefill(tokens: number): Promise<number>;
  close(): Promise<void>;
}

/** Opens a backend and brings the model to it, for runs of up to `limit` tokens. */
export async function prepare(backend: Backend, source: WeightSource, limit: number): Promise<Workload> {
  const begin = performance.now();
  const model = detectModel(source.tensors);
  const graphs = { greedy: greedyGraph(model), logits: logitsGraph(model), reset: resetGraph(model) };
  const device = await backend.open();
  const parameters = await device.loadParameters(source, Object.values(graphs), { limits: { Z: 1 } });
  const greedy = await device.compile(graphs.greedy, parameters, { N: 1, S: 1, R: 1 });
  const logits = await device.compile(graphs.logits, parameters, { N: limit, S: 1, R: 1 });
  const reset = await device.compile(graphs.reset, parameters, { S: 1 });
  const loadMs = performance.now() - begin;

  const integers = (data: readonly number[]): DeviceBuffer => {
    const buffer = device.alloc('i32', data.length);
    device.write(buffer, data);
    return buffer;
  };
  const prompt = Array.from({ length: limit }, (_, i) => 1 + ((i * 7) % (model.vocabularySize - 1)));
  const slots = integers([0]);
  const tokens = integers([1]);
  const [one, zero] = [integers([0, 1]), integers([0])];
  const next = device.alloc('i32', limit);
  const made = device.alloc('f32', model.vocabularySize);
  const timed = async (run: () => Promise<DeviceBuffer>): Promise<number> => {
    await device.run(reset, { sizes: { S: 1 }, inputs: { slots }, outputs: {} });
    await device.read(slots);
    const start = performance.now();
    await device.read(await run(), 0, 1);
    return performance.now() - start;
  };

  return {
    name: backend.name,
    adapter: device.info.adapter,
    loadMs,
    weightBytes: weightBytes(model, greedy),
    decode: (steps) =>
      timed(async () => {
        const inputs = { tokens, starts: one, slots, rows: zero };
        const loop = { steps, carry: { tokens: 'next' }, feed: [], collect: ['next'] };
        await device.run(greedy, { sizes: { N: 1, S: 1, R: 1 }, inputs, outputs: { next } }, loop);
        return next;
      }),
    prefill: (count) => {
      const inputs = { tokens: integers(prompt), starts: integers([0, count]), slots, rows: integers([count - 1]) };
      return timed(async () => {
        await device.run(logits, { sizes: { N: count, S: 1, R: 1 }, inputs, outputs: { logits: made } });
        return made;
      }).finally(() => {
        for (const name of ['tokens', 'starts', 'rows'] as const) device.free(inputs[name]);
      });
    },
    close: () => device.close(),
  };
}

/** A token reads every weight once, but of the embedding one row. All backends hold weights as f32 today. */
function weightBytes(model: LanguageModel, executable: Executable): number {
  let elements = 0;
  for (const [name, { shape }] of leaves(executable.graph, 'parameter')) {
    elements += name === 'emb.weight' ? model.width : elementCount(shape);
  }
  return 4 * elements;
}
