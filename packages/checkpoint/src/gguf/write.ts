import type { AbortSignalLike, DType, TensorInfo, WeightSource } from '@receptance/core';
import { BLOCKS, byteLength, convertTensors, detectModel, quantizedSource } from '@receptance/core';
import type { Checkpoint, StoredTensor, Vocabulary } from '../checkpoint.ts';
import { tensorChunks } from '../chunks.ts';
import { transposed } from '../derived.ts';
import { checkpointError, quote } from '../errors.ts';
import { describeModel } from './describe.ts';
import { encodeHeader } from './encode.ts';
import { type Architecture, BLOCK_RULES, MODEL_RULES, type Rule } from './names.ts';
import { ALIGNMENT } from './types.ts';

export interface GgufOptions {
  /** Of the big matrices; all else is f32. What is in blocks already stays so, unless f32 or f16 is asked for. */
  readonly dtype: 'f32' | 'f16' | 'q8_0' | 'q4_0';
  /** By default that of the source. Without one, the file says `no_vocab` and serves token ids only. */
  readonly vocabulary?: Vocabulary | undefined;
  /** `general.name`. */
  readonly name?: string | undefined;
}

/** Tensors under their official names; of a checkpoint also what it says of itself. */
export type ModelToWrite = WeightSource & Partial<Pick<Checkpoint, 'metadata' | 'vocabulary'>>;

const WRITER = 'the .gguf to write';
/** The one that llama.cpp computes with. */
const GROUP_NORM_EPS = 64e-5;

/**
 * A model of version 6 or 7 as the .gguf file that llama.cpp reads, piece by piece. Matrices whose rows are not whole blocks
 * become f16.
 *
 * @throws ReceptanceError before the first piece: `UNSUPPORTED_FORMAT` for another version, a tensor that such files have no
 * place for (`time_state`), blocks of different sizes, or group norms of another eps than llama.cpp's; what `detectModel` throws. While writing: `OVERFLOW` and
 * what reading the source throws
 */
export async function* ggufChunks(
  source: ModelToWrite,
  { dtype, vocabulary = source.vocabulary, name }: GgufOptions,
  signal?: AbortSignalLike,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { architecture, layers } = detectModel(source.tensors);
  if (architecture !== 'rwkv6' && architecture !== 'rwkv7') {
    throw unsupported(`there is no such file of ${architecture}`, 'write a .safetensors file');
  }
  const eps = Number(source.metadata?.['groupNormEps'] ?? GROUP_NORM_EPS);
  if (Math.abs(eps - GROUP_NORM_EPS) > 1e-9) {
    throw unsupported(
      `the group norms have the eps ${eps}; llama.cpp computes with ${GROUP_NORM_EPS}`,
      'write a .safetensors file',
    );
  }
  const tensors = tensorsToWrite(source, architecture, layers, dtype);
  const metadata = describeModel(source.tensors, { architecture, layers, dtype, vocabulary, name });
  const header = encodeHeader(metadata, tensors);
  yield header;
  for (const { info, chunks } of tensors) {
    yield* chunks(signal);
    const padding = -info.bytes & (ALIGNMENT - 1);
    if (padding > 0) yield new Uint8Array(padding);
  }
}

export interface TensorToEncode {
  readonly name: string;
  readonly info: TensorInfo;
  chunks(signal: AbortSignalLike | undefined): AsyncGenerator<Uint8Array, void, undefined>;
}

function tensorsToWrite(
  source: WeightSource,
  architecture: Architecture,
  layers: number,
  dtype: GgufOptions['dtype'],
): TensorToEncode[] {
  const tensors: TensorToEncode[] = [];
  const taken = new Set<string>();
  const add = (rule: Rule, name: string, prefix: string): void => {
    const official = rule.official.map((part) => `${prefix}${part}`);
    if (official.some((part) => taken.has(part) || !source.tensors.has(part))) return;
    for (const part of official) taken.add(part);
    tensors.push(encoded(source, rule, name, official, dtype));
  };
  for (const rule of MODEL_RULES) add(rule, rule.stored, '');
  for (let layer = 0; layer < layers; layer++) {
    for (const rule of BLOCK_RULES[architecture]) {
      const unused =
        architecture === 'rwkv7' && layer === 0 ? /^att\.v([012])$/.exec(rule.official[0] ?? '')?.[1] : undefined;
      const name = `blk.${layer}.${rule.stored}`;
      if (unused === undefined) add(rule, name, `blocks.${layer}.`);
      else {
        taken.add(`blocks.0.att.v${unused}`);
        tensors.push(encoded(source, rule, name, [`blocks.0.att.a${unused}`], dtype));
      }
    }
  }
  const stray = [...source.tensors.keys()].find((name) => !taken.has(name));
  if (stray === undefined) return tensors;
  throw unsupported(
    `tensor ${quote(stray)} has no place in a file of ${architecture}`,
    'leave it out, or write a .safetensors file',
  );
}

function encoded(
  source: WeightSource,
  { form }: Rule,
  name: string,
  official: readonly string[],
  dtype: GgufOptions['dtype'],
): TensorToEncode {
  const [first = ''] = official;
  const { shape } = source.tensors.get(first) ?? { shape: [] };
  if (form === 'matrix') {
    const from = matrixSource(source, first, dtype);
    const info = from.tensors.get(first) ?? { dtype: 'f32', shape, bytes: 0 };
    return { name, info, chunks: (signal) => tensorChunks(from, first, signal) };
  }
  const wide = convertTensors(source, { dtype: 'f32' });
  if (form === 'lora') {
    const { info, read } = transposed(storedIn(wide, first));
    return {
      name,
      info,
      async *chunks(signal) {
        yield await read(0, info.bytes, signal);
      },
    };
  }
  const elements = shape.reduce((product, size) => product * size, 1);
  const sizes =
    form === 'fused' ? [official.length, 1, 1, elements] : form === 'heads' && /first/.test(name) ? shape : [elements];
  const bytes = byteLength('f32', elements * official.length);
  return {
    name,
    info: { dtype: 'f32', shape: sizes, bytes },
    async *chunks(signal) {
      for (const part of official) yield* tensorChunks(wide, part, signal);
    },
  };
}

/** The type that a matrix gets: blocks where they fit and are asked for. */
function matrixSource(source: WeightSource, name: string, dtype: GgufOptions['dtype']): WeightSource {
  if (dtype === 'f32' || dtype === 'f16') return convertTensors(source, { dtype });
  const { dtype: stored, shape } = source.tensors.get(name) ?? { dtype, shape: [] };
  const inBlocks = (type: DType): boolean => BLOCKS[type].elements > 1;
  if (inBlocks(stored)) return source;
  if ((shape.at(-1) ?? 0) % BLOCKS[dtype].elements !== 0) return convertTensors(source, { dtype: 'f16' });
  return quantizedSource(source, dtype, (other) => other === name);
}

function storedIn(source: WeightSource, name: string): StoredTensor {
  const info = source.tensors.get(name) ?? { dtype: 'f32', shape: [], bytes: 0 };
  return { info, read: (start, end, signal) => source.read(name, { start, end }, signal) };
}

function unsupported(what: string, hint: string): Error {
  return checkpointError('UNSUPPORTED_FORMAT', WRITER, what, hint);
}
