import { ReceptanceError } from '../errors.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import type { Value } from '../ir/types.ts';
import type { TensorInfo } from '../weights/weights.ts';
import { softmaxAttention } from './aft.ts';
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
   * Logits f32[T,V] of one text.
   * @param tokens i32[T], T a number
   * @throws ReceptanceError `BAD_OP` for a text longer than `context`
   */
  logits(b: GraphBuilder, tokens: Value): Value;
}

/**
 * The transformer under these tensors: `emb.weight` [V,C], `pos.weight` [P,C],
 * `blocks.i.{ln1,ln2}.{weight,bias}`, `blocks.i.att.{query,key,value,output}.weight`, `blocks.i.ffn.{key,value}.weight`,
 * `ln_out.{weight,bias}`, `head.weight` [V,C].
 * @throws ReceptanceError `MISSING_TENSOR` or `SHAPE_MISMATCH` naming the tensor
 */
export function transformer(
  tensors: ReadonlyMap<string, TensorInfo>,
  { heads }: { readonly heads: number },
): Transformer {
  const shapes = new ModelTensors(tensors, 'transformer');
  const [vocabularySize, width] = shapes.matrixShape('emb.weight');
  const [context] = shapes.matrixShape('pos.weight');
  if (width % heads !== 0) throw shapes.mismatch('emb.weight', `as wide as ${heads} equal heads`);
  const layers = shapes.layers();
  return {
    ...{ layers, width, heads, vocabularySize, context },
    logits(b, tokens) {
      const [length] = tokens.shape;
      if (typeof length !== 'number' || length > context) {
        throw new ReceptanceError('BAD_OP', `a text of ${length} tokens; the transformer has ${context} places`, {
          hint: 'give a number of tokens up to that',
        });
      }
      const places = b.constant(
        Array.from({ length }, (_, t) => t),
        'i32',
      );
      const rows = (table: string, ids: Value): Value => b.add('gather', { table: shapes.matrix(b, table), ids }).y;
      let x = b.binary('add', rows('emb.weight', tokens), rows('pos.weight', places));
      for (let layer = 0; layer < layers; layer++) {
        const block = `blocks.${layer}`;
        x = b.scope(`${block}.att`, () => b.binary('add', x, attention(b, shapes, block, x, { width, heads })));
        x = b.scope(`${block}.ffn`, () => b.binary('add', x, mlp(b, shapes, block, x, width)));
      }
      return b.linear(shapes.norm(b, x, 'ln_out', width), shapes.matrix(b, 'head.weight'));
    },
  };
}

function attention(
  b: GraphBuilder,
  shapes: ModelTensors,
  block: string,
  x: Value,
  { width, heads }: { readonly width: number; readonly heads: number },
): Value {
  const normed = shapes.norm(b, x, `${block}.ln1`, width);
  const project = (name: string): Value => b.linear(normed, shapes.matrix(b, `${block}.att.${name}.weight`));
  const seen = { q: project('query'), k: project('key'), v: project('value') };
  const y = softmaxAttention(b, seen, { causal: true, heads });
  return b.linear(y, shapes.matrix(b, `${block}.att.output.weight`));
}

function mlp(b: GraphBuilder, shapes: ModelTensors, block: string, x: Value, width: number): Value {
  const normed = shapes.norm(b, x, `${block}.ln2`, width);
  const k = b.add('reluSquared', { x: b.linear(normed, shapes.matrix(b, `${block}.ffn.key.weight`)) }).y;
  return b.linear(k, shapes.matrix(b, `${block}.ffn.value.weight`));
}
