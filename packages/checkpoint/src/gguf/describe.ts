import type { TensorInfo } from '@receptance/core';
import type { Vocabulary } from '../checkpoint.ts';
import { checkpointError, quote } from '../errors.ts';
import type { MetadataEntry } from './encode.ts';
import type { Architecture } from './names.ts';

interface Description {
  readonly architecture: Architecture;
  readonly layers: number;
  readonly dtype: 'f32' | 'f16' | 'q8_0' | 'q4_0';
  readonly vocabulary: Vocabulary | undefined;
  readonly name: string | undefined;
}

/** llama.cpp's numbers for what most of a file is in. */
const FILE_TYPES = { f32: 0, f16: 1, q4_0: 2, q8_0: 7 } as const;
const QUANTIZATION_VERSION = 2;
/** What llama.cpp's converter says: a state has no end. */
const CONTEXT_LENGTH = 1_048_576;

/** The metadata of a .gguf file that llama.cpp wants, sizes read from the tensors. */
export function describeModel(
  tensors: ReadonlyMap<string, TensorInfo>,
  { architecture, layers, dtype, vocabulary, name }: Description,
): readonly MetadataEntry[] {
  const size = (rest: string, axis: number, first = 0): number => commonSize(tensors, layers, rest, axis, first);
  const [vocabularySize = 0, width = 0] = tensors.get('emb.weight')?.shape ?? [];
  const u32 = (key: string, value: number): MetadataEntry => ({ key: `${architecture}.${key}`, type: 'u32', value });
  const ranks =
    architecture === 'rwkv6'
      ? [
          u32('rescale_every_n_layers', 0),
          u32('time_mix_extra_dim', size('att.time_maa_w1', -1) / 5),
          u32('time_decay_extra_dim', size('att.time_decay_w1', -1)),
        ]
      : [
          u32('attention.decay_lora_rank', size('att.w1', -1)),
          u32('attention.iclr_lora_rank', size('att.a1', -1)),
          u32('attention.value_residual_mix_lora_rank', layers > 1 ? size('att.v1', -1, 1) : size('att.a1', -1)),
          u32('attention.gate_lora_rank', size('att.g1', -1)),
        ];
  return [
    { key: 'general.architecture', type: 'string', value: architecture },
    ...(name === undefined ? [] : [{ key: 'general.name', type: 'string', value: name } as const]),
    u32('context_length', CONTEXT_LENGTH),
    u32('embedding_length', width),
    u32('block_count', layers),
    { key: `${architecture}.attention.layer_norm_epsilon`, type: 'f32', value: 1e-5 },
    u32('wkv.head_size', size(architecture === 'rwkv6' ? 'att.time_faaaa' : 'att.r_k', -1)),
    u32('feed_forward_length', size('ffn.key.weight', 0)),
    // Asked for, and not used.
    u32('attention.head_count', 0),
    u32('vocab_size', vocabularySize),
    ...ranks,
    ...tokenizer(vocabulary, vocabularySize),
    { key: 'general.quantization_version', type: 'u32', value: QUANTIZATION_VERSION },
    { key: 'general.file_type', type: 'u32', value: FILE_TYPES[dtype] },
  ];
}

function tokenizer(vocabulary: Vocabulary | undefined, vocabularySize: number): MetadataEntry[] {
  if (vocabulary === undefined) return [{ key: 'tokenizer.ggml.model', type: 'string', value: 'no_vocab' }];
  const { model, tokens, types, endOfText } = vocabulary;
  if (tokens.length !== vocabularySize || (types !== undefined && types.length !== tokens.length)) {
    throw unsupported(
      `the vocabulary has ${tokens.length} tokens and ${types?.length ?? 'no'} types, the model ${vocabularySize} tokens`,
    );
  }
  return [
    { key: 'tokenizer.ggml.model', type: 'string', value: model },
    { key: 'tokenizer.ggml.tokens', type: 'strings', value: tokens },
    ...(types === undefined ? [] : [{ key: 'tokenizer.ggml.token_type', type: 'i32s', value: types } as const]),
    ...(endOfText === undefined
      ? []
      : [{ key: 'tokenizer.ggml.eos_token_id', type: 'u32', value: endOfText } as const]),
  ];
}

/** The size of an axis, which a .gguf file has one number for: the same in all blocks from `first` on. */
function commonSize(
  tensors: ReadonlyMap<string, TensorInfo>,
  layers: number,
  rest: string,
  axis: number,
  first: number,
): number {
  const sizes = new Set<number | undefined>();
  for (let layer = first; layer < layers; layer++) sizes.add(tensors.get(`blocks.${layer}.${rest}`)?.shape.at(axis));
  const [size] = sizes;
  if (size !== undefined && sizes.size === 1) return size;
  throw unsupported(`${quote(rest)} is of different sizes in different blocks`);
}

function unsupported(what: string): Error {
  return checkpointError('UNSUPPORTED_FORMAT', 'the .gguf to write', what, 'write a .safetensors file');
}
