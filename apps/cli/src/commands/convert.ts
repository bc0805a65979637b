import { type Checkpoint, ggufChunks, safetensorsChunks } from '@receptance/checkpoint';
import { openCheckpointFile, writeWhole } from '@receptance/checkpoint/node';
import type { PlainDType, QuantizedDType } from '@receptance/core';
import { BLOCKS, convertTensors } from '@receptance/core';
import { storiesModel } from '@receptance/model-stories';
import { type BytesTokenizer, worldTokens } from '@receptance/tokenizer';
import { type Command, command } from '../command.ts';
import { MODEL_OPTIONS, worldVocabularyIn } from '../model.ts';
import { badOption, COMMON } from '../options.ts';
import { refuseExisting } from '../output-file.ts';

const SAFETENSORS_TYPES = ['f32', 'f16', 'bf16'] as const;
const GGUF_TYPES = ['f32', 'f16', 'q8_0', 'q4_0'] as const;

/** What is asked for; no `dtype` asks for what loses nothing. */
type Target =
  | { readonly format: 'safetensors'; readonly dtype: (typeof SAFETENSORS_TYPES)[number] | undefined }
  | { readonly format: 'gguf'; readonly dtype: (typeof GGUF_TYPES)[number] | undefined };

const options = {
  model: MODEL_OPTIONS.model,
  out: { value: 'FILE', help: 'the .safetensors, or for versions 6 and 7 the .gguf, to write' },
  dtype: {
    value: 'TYPE',
    help: 'f32, f16, bf16 (.safetensors), q8_0, q4_0 (.gguf) (default: what loses nothing)',
  },
  tokenizer: {
    value: 'FILE',
    help: 'World vocabulary (.txt) that a .gguf is to bring along (default: that of IN, if it has one)',
  },
  force: { help: 'replace OUT when it is there' },
  ...COMMON,
} as const;

export const convert: Command = command({
  name: 'convert',
  summary: 'Writes a checkpoint in another format, and in another type when asked to.',
  usage: '[--model IN] --out OUT [--dtype TYPE] [--tokenizer FILE] [--force]',
  options,
  examples: [
    ['convert --model model.pth --out model.safetensors', 'the same numbers in the same types'],
    ['convert --model model.pth --out model.f16.safetensors --dtype f16', 'rounded to half precision: half the size'],
    ['convert --model model.pth --out model.q8_0.gguf --dtype q8_0', 'big matrices in blocks, as llama.cpp reads them'],
    ['convert --model model.pth --out model.gguf --tokenizer rwkv_vocab_v20230424.txt', 'a file that needs no other'],
    ['convert --model folder-from-hugging-face --out model.safetensors', 'one file, tensors by their official names'],
  ],
  async run(values, terminal) {
    const out = values.required('out');
    const target = targetOf(out, values.text('dtype'));
    if (!values.flag('force')) await refuseExisting(out);
    const { signal } = terminal;
    const tokenizerPath = values.text('tokenizer');
    if (tokenizerPath !== undefined && target.format !== 'gguf') {
      throw badOption('--tokenizer is for a .gguf', 'other formats have no place for a vocabulary: leave it out');
    }
    const tokenizer = tokenizerPath === undefined ? undefined : await worldVocabularyIn(tokenizerPath);
    const path = values.text('model');
    const checkpoint = await openCheckpointFile(path ?? storiesModel, { signal });
    try {
      const { dtype, chunks } = writing(checkpoint, target, tokenizer, signal);
      const bytes = await writeWhole(out, chunks, (done) => terminal.status(`${out}: ${megabytes(done)} written`));
      const facts = { model: path ?? 'stories', out, format: target.format, dtype, bytes };
      if (terminal.json) terminal.writeJson(facts);
      else terminal.note(`${out}: ${dtype === 'stored' ? 'types as they were' : dtype}, ${megabytes(bytes)}`);
      return 0;
    } finally {
      await checkpoint.close();
    }
  },
});

interface Writing {
  readonly dtype: PlainDType | QuantizedDType | 'stored';
  readonly chunks: AsyncIterable<Uint8Array>;
}

function writing(
  checkpoint: Checkpoint,
  target: Target,
  tokenizer: BytesTokenizer | undefined,
  signal: AbortSignal,
): Writing {
  const infos = [...checkpoint.tensors.values()];
  if (target.format === 'gguf') {
    const dtype = target.dtype ?? (infos.every((tensor) => tensor.dtype === 'f16') ? 'f16' : 'f32');
    const [rows] = checkpoint.tensors.get('emb.weight')?.shape ?? [];
    const vocabulary = tokenizer === undefined ? checkpoint.vocabulary : worldTokens(tokenizer, rows);
    return { dtype, chunks: ggufChunks(checkpoint, { dtype, vocabulary }, signal) };
  }
  const inBlocks = infos.some((tensor) => BLOCKS[tensor.dtype].elements > 1);
  const dtype = target.dtype ?? (inBlocks ? 'f32' : 'stored');
  const source = dtype === 'stored' ? checkpoint : convertTensors(checkpoint, { dtype });
  return { dtype, chunks: safetensorsChunks(source, metadataOf(checkpoint), signal) };
}

/** Of another format only what the numbers mean: the rest would say what is not so of the file that is written. */
function metadataOf({ format, metadata }: Checkpoint): Readonly<Record<string, string>> {
  if (format === 'safetensors') return metadata;
  const { groupNormEps } = metadata;
  return groupNormEps === undefined ? {} : { groupNormEps };
}

/** @throws UsageError `BAD_OPTION` */
function targetOf(out: string, dtype: string | undefined): Target {
  if (/\.safetensors$/i.test(out))
    return { format: 'safetensors', dtype: oneOf(SAFETENSORS_TYPES, dtype, '.safetensors') };
  if (/\.gguf$/i.test(out)) return { format: 'gguf', dtype: oneOf(GGUF_TYPES, dtype, '.gguf') };
  throw badOption(`--out ${out} is of no format that can be written`, 'let it end in .safetensors or .gguf');
}

function oneOf<T extends string>(types: readonly T[], type: string | undefined, of: string): T | undefined {
  const found = types.find((each) => each === type);
  if (type === undefined || found !== undefined) return found;
  throw badOption(`--dtype ${type} is no type of a ${of}`, `types are ${types.join(', ')}`);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
