import { ReceptanceError } from '../errors.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import type { Value } from '../ir/types.ts';
import type { TensorInfo } from '../weights/weights.ts';
import { type AttentionInputs, aftLocal, aftSimple, softmaxAttention } from './aft.ts';
import { ModelTensors } from './tensors.ts';

/**
 * The small transformer that RWKV is compared with: learned places, `x += attention(ln1(x)); x += mlp(ln2(x))`, the
 * same norms and the same relu² as RWKV, no biases in its matrices. What differs is what is compared: softmax attention,
 * whose cost and memory grow with the text.
 */
export interface Transformer {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly vocabularySize: number;
  /** The longest text: as many places as were learned. */
  readonly context: number;
  /**
   * Logits f32[S·T,V] of texts of one length.
   * @param tokens i32[S·T], a number
   * @param texts S, by default 1
   * @throws ReceptanceError `BAD_OP` for texts longer than `context`, or of unequal lengths
   */
  logits(b: GraphBuilder, tokens: Value, texts?: number): Value;
}

export interface TransformerOptions {
  readonly heads: number;
  /**
   * What looks back: softmax attention; or in its place AFT-simple, or AFT-local of a window, whose position weights are
   * `blocks.i.att.position` [P,P].
   */
  readonly mixing?: 'softmax' | 'aftSimple' | { readonly aftLocal: number };
}

/**
 * The transformer under these tensors: `emb.weight` [V,C], `pos.weight` [P,C],
 * `blocks.i.{ln1,ln2}.{weight,bias}`, `blocks.i.att.{query,key,value,output}.weight`, `blocks.i.ffn.{key,value}.weight`,
 * `ln_out.{weight,bias}`, `head.weight` [V,C].
 * @throws ReceptanceError `MISSING_TENSOR` or `SHAPE_MISMATCH` naming the tensor
 */
export function transformer(
  tensors: ReadonlyMap<string, TensorInfo>,
  { heads, mixing = 'softmax' }: TransformerOptions,
): Transformer {
  const shapes = new ModelTensors(tensors, 'transformer');
  const [vocabularySize, width] = shapes.matrixShape('emb.weight');
  const [context] = shapes.matrixShape('pos.weight');
  if (width % heads !== 0) throw shapes.mismatch('emb.weight', `as wide as ${heads} equal heads`);
  const layers = shapes.layers();
  return {
    ...{ layers, width, heads, vocabularySize, context },
    logits(b, tokens, texts = 1) {
      const length = Number(tokens.shape[0]) / texts;
      if (!Number.isInteger(length) || length > context) {
        throw new ReceptanceError('BAD_OP', `a text of ${length} tokens; the transformer has ${context} places`, {
          hint: 'give a number of tokens up to that, the same for each text',
        });
      }
      const places = b.constant(
        Array.from({ length: texts * length }, (_, row) => row % length),
        'i32',
      );
      const rows = (table: string, ids: Value): Value => b.add('gather', { table: shapes.matrix(b, table), ids }).y;
      const look = { width, heads, mixing, texts, length, context };
      let x = b.binary('add', rows('emb.weight', tokens), rows('pos.weight', places));
      for (let layer = 0; layer < layers; layer++) {
        const block = `blocks.${layer}`;
        x = b.scope(`${block}.att`, () => b.binary('add', x, attention(b, shapes, block, x, look)));
        x = b.scope(`${block}.ffn`, () => b.binary('add', x, mlp(b, shapes, block, x, width)));
      }
      return b.linear(shapes.norm(b, x, 'ln_out', width), shapes.matrix(b, 'head.weight'));
    },
  };
}

interface Look extends Required<TransformerOptions> {
  readonly width: number;
  readonly texts: number;
  readonly length: number;
  readonly context: number;
}

function attention(b: GraphBuilder, shapes: ModelTensors, block: string, x: Value, look: Look): Value {
  const normed = shapes.norm(b, x, `${block}.ln1`, look.width);
  const project = (name: string): Value => b.linear(normed, shapes.matrix(b, `${block}.att.${name}.weight`));
  const fold = (value: Value): Value => sideBySide(b, value, look);
  const y = mixed(
    b,
    shapes,
    block,
    { q: fold(project('query')), k: fold(project('key')), v: fold(project('value')) },
    look,
  );
  return b.linear(belowEachOther(b, y, look), shapes.matrix(b, `${block}.att.output.weight`));
}

/** Texts side by side are further heads of one text. */
function mixed(b: GraphBuilder, shapes: ModelTensors, block: string, seen: AttentionInputs, look: Look): Value {
  const { mixing, heads, texts, length, context } = look;
  if (mixing === 'softmax') return softmaxAttention(b, seen, { causal: true, heads: heads * texts });
  if (mixing === 'aftSimple') return aftSimple(b, seen, { causal: true });
  let w = shapes.dense(b, `${block}.att.position`, [context, context]);
  for (const axis of [0, 1]) if (length < context) w = b.add('slice', { x: w }, { axis, start: 0, end: length }).y;
  return aftLocal(b, { ...seen, w }, { causal: true, window: mixing.aftLocal });
}

/** f32[S·T,C] as f32[T,S·C]. */
function sideBySide(b: GraphBuilder, x: Value, { texts, length, width }: Look): Value {
  if (texts === 1) return x;
  const perText = b.reshape(x, [texts, length, width]);
  return b.reshape(b.add('transpose', { x: perText }, { axes: [1, 0, 2] }).y, [length, texts * width]);
}

/** f32[T,S·C] as f32[S·T,C]. */
function belowEachOther(b: GraphBuilder, y: Value, { texts, length, width }: Look): Value {
  if (texts === 1) return y;
  const perPlace = b.reshape(y, [length, texts, width]);
  return b.reshape(b.add('transpose', { x: perPlace }, { axes: [1, 0, 2] }).y, [texts * length, width]);
}

function mlp(b: GraphBuilder, shapes: ModelTensors, block: string, x: Value, width: number): Value {
  const normed = shapes.norm(b, x, `${block}.ln2`, width);
  const k = b.add('reluSquared', { x: b.linear(normed, shapes.matrix(b, `${block}.ffn.key.weight`)) }).y;
  return b.linear(k, shapes.matrix(b, `${block}.ffn.value.weight`));
}
