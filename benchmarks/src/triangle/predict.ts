import {
  type Backend,
  detectModel,
  type Graph,
  GraphBuilder,
  initialState,
  type Sizes,
  transformer,
  type Value,
  type WeightSource,
} from '@receptance/core';
import type { BaselineConfig, ModelConfig } from '@receptance/train';
import { isBaseline, mixingOf } from './models.ts';

/** What a model makes of texts: for each token what it holds likeliest next, and what the true next one cost in nats. */
export interface Predictions {
  readonly next: Int32Array;
  readonly losses: Float64Array;
}

export interface TextShape {
  /** S texts at a time … */
  readonly sequences: number;
  /** … of T tokens each. */
  readonly length: number;
}

/**
 * Reads consecutive texts of T tokens, each from its own start.
 * @param tokens k·T + 1 of them, the last to be foreseen only
 */
export async function predict(
  backend: Backend,
  config: ModelConfig | BaselineConfig,
  weights: WeightSource,
  tokens: Uint8Array,
  { sequences, length }: TextShape,
): Promise<Predictions> {
  const size = sequences * length;
  const graph = predictionGraph(config, weights, { sequences, length });
  const sizes: Sizes = isBaseline(config) ? {} : { N: size, S: sequences };
  const count = tokens.length - 1;
  const [next, losses] = [new Int32Array(count), new Float64Array(count)];
  const device = await backend.open();
  try {
    const parameters = await device.loadParameters(weights, [graph]);
    const executable = await device.compile(graph, parameters, sizes);
    const buffer = (): ReturnType<typeof device.alloc> => device.alloc('i32', size);
    const starts = device.alloc('i32', sequences + 1);
    device.write(
      starts,
      Int32Array.from({ length: sequences + 1 }, (_, s) => s * length),
    );
    const inputs = { tokens: buffer(), targets: buffer(), ...(isBaseline(config) ? {} : { starts }) };
    const outputs = { next: buffer(), losses: device.alloc('f32', size) };
    for (let at = 0; at < count; at += size) {
      const window = tokens.subarray(at, at + size + 1);
      const there = window.length - 1;
      device.write(
        inputs.tokens,
        Int32Array.from({ length: size }, (_, i) => (i < there ? (window[i] ?? 0) : 0)),
      );
      device.write(
        inputs.targets,
        Int32Array.from({ length: size }, (_, i) => (i < there ? (window[i + 1] ?? 0) : -1)),
      );
      await device.run(executable, { sizes, inputs, outputs });
      next.set((await device.read(outputs.next)).subarray(0, there), at);
      losses.set((await device.read(outputs.losses)).subarray(0, there), at);
    }
    return { next, losses };
  } finally {
    await device.close();
  }
}

function predictionGraph(config: ModelConfig | BaselineConfig, { tensors }: WeightSource, shape: TextShape): Graph {
  const { sequences, length } = shape;
  const b = new GraphBuilder(`${config.architecture}.predictions`);
  const rows = isBaseline(config) ? sequences * length : 'N';
  const [tokens, targets] = [b.input('tokens', 'i32', [rows]), b.input('targets', 'i32', [rows])];
  const logits = isBaseline(config)
    ? transformer(tensors, mixingOf(config)).logits(b, tokens, sequences)
    : recurrentLogits(b, tensors, tokens);
  b.output('next', b.add('argmax', { x: logits }).y);
  b.output('losses', b.add('crossEntropy', { logits, targets }).y);
  return b.build();
}

function recurrentLogits(b: GraphBuilder, tensors: WeightSource['tensors'], tokens: Value): Value {
  const model = detectModel(tensors);
  const starts = b.input('starts', 'i32', ['S+1']);
  const state = Object.fromEntries(model.state.map((entry) => [entry.name, initialState(b, entry)]));
  return model.head(b, model.hidden(b, tokens, starts, state).x);
}
