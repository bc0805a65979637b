import { type Graph, GraphBuilder, type LanguageModel, type Value } from '@receptance/core';
import type { TensorShape } from '../models/tensors.ts';

export interface TransformerSize {
  readonly layers: number;
  readonly width: number;
  readonly headSize: number;
  readonly ffn: number;
  readonly vocabulary: number;
}

type Like = Pick<LanguageModel, 'layers' | 'width' | 'vocabularySize'>;

/** A transformer as large as an RWKV model. */
export function transformerLike({ layers, width, vocabularySize }: Like): TransformerSize {
  const headSize = width % 64 === 0 ? 64 : width;
  return { layers, width, headSize, ffn: 4 * width, vocabulary: vocabularySize };
}

/**
 * One step of the transformer of core's `transformer`, of as many layers, heads and channels as an RWKV model, with its keys and values
 * in a cache of `context` places. All places are attended to: what a token costs when the text is that long.
 *
 * inputs: tokens i32[1], places i32[H] (the cache's rows that the token's key and value are written to)
 * outputs: next i32[1]
 */
export function transformerStep(size: TransformerSize, context: number): Graph {
  const { width, headSize } = size;
  const b = new GraphBuilder(`transformer.step.${context}`);
  const heads = width / headSize;
  const places = b.input('places', 'i32', [heads]);
  /** The cache as the heads see it, f32[H,P,D], with this token in it. */
  const remembered = (name: string, value: Value): Value => {
    const pool = b.variable(name, 'f32', [heads * context, headSize]);
    const { y } = b.add('stateWrite', { pool, slots: places, value: b.reshape(value, [heads, headSize]) });
    b.update(name, y);
    return b.reshape(y, [heads, context, headSize]);
  };
  const logits = stepLogits(b, size, (layer, project) => {
    const q = b.reshape(b.binary('mul', project('query'), headSize ** -0.5), [heads, 1, headSize]);
    const k = remembered(`cache.${layer}.k`, project('key'));
    const v = remembered(`cache.${layer}.v`, project('value'));
    const scores = b.add('matmul', { a: q, b: k }, { transposeA: false, transposeB: true }).y;
    const weights = b.add('softmax', { x: scores }).y;
    const seen = b.add('matmul', { a: weights, b: v }, { transposeA: false, transposeB: false }).y;
    return b.reshape(seen, [1, width]);
  });
  b.output('next', b.add('argmax', { x: logits }).y);
  return b.build();
}

/**
 * The logits f32[1,V] of a step that reads tokens i32[1]: all of it but how a layer looks back.
 * @param lookBack what a layer finds, f32[1,C], given its projections of the token by their names
 */
export function stepLogits(
  b: GraphBuilder,
  { layers, width, ffn, vocabulary }: Omit<TransformerSize, 'headSize'>,
  lookBack: (layer: number, project: (name: string) => Value) => Value,
): Value {
  const tokens = b.input('tokens', 'i32', [1]);
  const matrix = (name: string, rows: number, columns: number): Value => b.parameter(name, 'f32', [rows, columns]);
  const norm = (x: Value, name: string): Value => {
    const [w, bias] = ['weight', 'bias'].map((part) => b.parameter(`${name}.${part}`, 'f32', [width]));
    return w === undefined || bias === undefined ? x : b.add('layerNorm', { x, w, b: bias }, { eps: 1e-5 }).y;
  };
  let x = b.add('gather', { table: matrix('emb.weight', vocabulary, width), ids: tokens }).y;
  for (let layer = 0; layer < layers; layer++) {
    const block = `blocks.${layer}`;
    const normed = norm(x, `${block}.ln1`);
    const found = lookBack(layer, (name) => b.linear(normed, matrix(`${block}.att.${name}.weight`, width, width)));
    x = b.binary('add', x, b.linear(found, matrix(`${block}.att.output.weight`, width, width)));
    const wide = b.linear(norm(x, `${block}.ln2`), matrix(`${block}.ffn.key.weight`, ffn, width));
    const squared = b.add('reluSquared', { x: wide }).y;
    x = b.binary('add', x, b.linear(squared, matrix(`${block}.ffn.value.weight`, width, ffn)));
  }
  return b.linear(norm(x, 'ln_out'), matrix('head.weight', vocabulary, width));
}

export function transformerTensors({ layers, width, ffn, vocabulary }: TransformerSize): TensorShape[] {
  const matrix = (name: string, rows: number, columns: number): TensorShape => ({
    name: `${name}.weight`,
    shape: [rows, columns],
    distribution: { kind: 'normal', deviation: columns ** -0.5 },
  });
  const norm = (name: string): TensorShape[] => [
    { name: `${name}.weight`, shape: [width], distribution: { kind: 'uniform', low: 0.7, high: 1.3 } },
    { name: `${name}.bias`, shape: [width], distribution: { kind: 'normal', deviation: 0.1 } },
  ];
  const blocks = Array.from({ length: layers }, (_, layer) => [
    ...norm(`blocks.${layer}.ln1`),
    ...norm(`blocks.${layer}.ln2`),
    ...['query', 'key', 'value', 'output'].map((name) => matrix(`blocks.${layer}.att.${name}`, width, width)),
    matrix(`blocks.${layer}.ffn.key`, ffn, width),
    matrix(`blocks.${layer}.ffn.value`, width, ffn),
  ]);
  return [matrix('emb', vocabulary, width), ...blocks.flat(), ...norm('ln_out'), matrix('head', vocabulary, width)];
}
