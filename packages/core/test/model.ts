import { byteLength, type TensorInfo } from '@receptance/core';

/** Names and shapes of an RWKV-7 checkpoint, without its numbers. */
export function rwkv7Tensors({
  layers = 2,
  heads = 2,
  headSize = 8,
  ffn = 24,
  vocabulary = 11,
  rank = 4,
} = {}): Map<string, TensorInfo> {
  const width = heads * headSize;
  const tensors = new Map<string, TensorInfo>();
  const add = (name: string, ...shape: number[]): void => {
    const elements = shape.reduce((product, size) => product * size, 1);
    tensors.set(name, { dtype: 'f32', shape, bytes: byteLength('f32', elements) });
  };
  add('emb.weight', vocabulary, width);
  add('head.weight', vocabulary, width);
  for (const norm of ['blocks.0.ln0', 'ln_out']) for (const part of ['weight', 'bias']) add(`${norm}.${part}`, width);
  for (let i = 0; i < layers; i++) {
    for (const norm of ['ln1', 'ln2', 'att.ln_x'])
      for (const part of ['weight', 'bias']) add(`blocks.${i}.${norm}.${part}`, width);
    for (const name of ['x_r', 'x_w', 'x_k', 'x_v', 'x_a', 'x_g', 'w0', 'a0', 'v0', 'k_k', 'k_a'])
      add(`blocks.${i}.att.${name}`, 1, 1, width);
    for (const name of ['w', 'a', 'g', 'v']) {
      add(`blocks.${i}.att.${name}1`, width, rank);
      add(`blocks.${i}.att.${name}2`, rank, width);
    }
    for (const name of ['receptance', 'key', 'value', 'output']) add(`blocks.${i}.att.${name}.weight`, width, width);
    add(`blocks.${i}.att.r_k`, heads, headSize);
    add(`blocks.${i}.ffn.x_k`, 1, 1, width);
    add(`blocks.${i}.ffn.key.weight`, ffn, width);
    add(`blocks.${i}.ffn.value.weight`, width, ffn);
  }
  return tensors;
}
