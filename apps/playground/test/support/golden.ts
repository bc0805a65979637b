import { readdirSync } from 'node:fs';
import { openCheckpointFile } from '@receptance/checkpoint/node';
import { widen } from '@receptance/core';
import { golden } from './page.ts';

export interface GoldenModel {
  readonly file: string;
  readonly prompt: readonly number[];
  /** The continuation by the largest logit, on the weights as this file has them; its first token, where more was not computed. */
  readonly greedy: readonly number[];
}

/** Every golden checkpoint, with what was computed outside. */
export async function goldenModels(): Promise<GoldenModel[]> {
  const names = readdirSync(golden(''));
  const results = names.filter((name) => name.endsWith('.golden.safetensors'));
  const checkpoints = names.filter((name) => !/\.(golden|grads)\.safetensors$|\.json$|_hf$/.test(name));
  const hf = names.filter((name) => name.endsWith('_hf')).map((name) => `${name}/model.safetensors`);
  const found: GoldenModel[] = [];
  for (const file of [...checkpoints, ...hf]) {
    const stems = [
      file,
      file.replace(/\.((bf16|fp16)\.)?(pth|safetensors)$/, ''),
      file.replace('/model.safetensors', ''),
    ];
    const result = results.find((name) => stems.includes(name.replace('.golden.safetensors', '')));
    if (result === undefined) throw new Error(`there are no results for ${file}`);
    const tensors = await read(golden(result));
    const rounding = /\.(bf16|fp16)\./.exec(file)?.[1];
    const greedy =
      tensors.get(`greedy_r${rounding}w`) ?? tensors.get('greedy') ?? [tensors.get('logits') ?? []].map(likeliest);
    found.push({ file, prompt: tensors.get('prompt') ?? [], greedy });
  }
  return found;
}

async function read(path: string): Promise<ReadonlyMap<string, number[]>> {
  const file = await openCheckpointFile(path);
  const tensors = new Map<string, number[]>();
  for (const [name, { dtype, shape }] of file.tensors) {
    if (!/^(prompt|greedy|logits$)/.test(name)) continue;
    const numbers = new Float64Array(shape.reduce((product, size) => product * size, 1));
    widen(dtype, await file.read(name), numbers);
    // Of logits, those after the last token.
    tensors.set(name, [...numbers.subarray(name === 'logits' ? -(shape.at(-1) ?? 0) : 0)]);
  }
  await file.close();
  return tensors;
}

function likeliest(logits: readonly number[]): number {
  return logits.indexOf(Math.max(...logits));
}
