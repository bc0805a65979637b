import { type TensorToWrite, writeSafetensors } from '@receptance/checkpoint';

interface Sizes {
  readonly layers: number;
  readonly heads: number;
  readonly headSize: number;
  readonly vocabulary: number;
}

/** Gives the numbers of a tensor of an RWKV-7 checkpoint. */
type Fill = (name: string, shape: readonly number[]) => (index: number) => number;

/** A small RWKV-7 of random weights whose tokens are bytes: it writes nonsense, but every part of it matters. */
export function randomModel(seed = 1, vocabulary = 256): Uint8Array {
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  return checkpoint({ layers: 2, heads: 2, headSize: 8, vocabulary }, (name, shape) => {
    if (/ln.*weight/.test(name)) return () => 1 + 0.1 * random();
    const scale = name === 'emb.weight' ? 1 : shape.length === 2 ? 3 / Math.sqrt(shape[1] ?? 1) : 0.5;
    return () => scale * random();
  });
}

/**
 * An RWKV-7 that says one thing: after each byte of `text`, all of them different, comes the next; after the last, 0.
 * Nothing that its blocks make gets through, so that its text is known beforehand.
 */
export function scriptedModel(text: string): Uint8Array {
  const bytes = [...new TextEncoder().encode(text)];
  const width = 32;
  if (new Set(bytes).size !== bytes.length || bytes.length > width) throw new Error('bytes must be few and different');
  return checkpoint({ layers: 1, heads: 2, headSize: 16, vocabulary: 256 }, (name) => {
    if (/ln.*weight/.test(name)) return () => 1;
    const at = (index: number): number => bytes.indexOf(Math.floor(index / width));
    if (name === 'emb.weight') return (index) => (at(index) === index % width ? 1 : 0);
    const after = (index: number): number => {
      const token = Math.floor(index / width);
      return token === 0 ? bytes.length - 1 : at(index) - 1;
    };
    if (name === 'head.weight') return (index) => (after(index) === index % width ? 9 : 0);
    return () => 0;
  });
}

function checkpoint({ layers, heads, headSize, vocabulary }: Sizes, fill: Fill): Uint8Array {
  const width = heads * headSize;
  const rank = 4;
  const tensors: TensorToWrite[] = [];
  const add = (name: string, ...shape: number[]): void => {
    const number = fill(name, shape);
    const data = Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, i) => number(i));
    tensors.push({ name, dtype: 'f32', shape, data: new Uint8Array(data.buffer) });
  };
  const norm = (name: string): void => {
    add(`${name}.weight`, width);
    add(`${name}.bias`, width);
  };
  add('emb.weight', vocabulary, width);
  add('head.weight', vocabulary, width);
  norm('ln_out');
  norm('blocks.0.ln0');
  for (let layer = 0; layer < layers; layer++) {
    const [att, ffn] = [`blocks.${layer}.att`, `blocks.${layer}.ffn`];
    norm(`blocks.${layer}.ln1`);
    norm(`blocks.${layer}.ln2`);
    norm(`${att}.ln_x`);
    for (const name of ['x_r', 'x_w', 'x_k', 'x_v', 'x_a', 'x_g', 'w0', 'a0', 'v0', 'k_k', 'k_a'])
      add(`${att}.${name}`, width);
    for (const name of ['w', 'a', 'v', 'g']) {
      add(`${att}.${name}1`, width, rank);
      add(`${att}.${name}2`, rank, width);
    }
    add(`${att}.r_k`, heads, headSize);
    for (const name of ['receptance', 'key', 'value', 'output']) add(`${att}.${name}.weight`, width, width);
    add(`${ffn}.x_k`, width);
    add(`${ffn}.key.weight`, 2 * width, width);
    add(`${ffn}.value.weight`, width, 2 * width);
  }
  return writeSafetensors(tensors);
}
