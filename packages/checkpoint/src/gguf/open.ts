import type { ByteSource } from '../byte-source.ts';
import type { Checkpoint, OpenOptions, Vocabulary } from '../checkpoint.ts';
import { checkpointOf, closingOnError } from '../checkpoint.ts';
import { inCompany } from '../in-company.ts';
import { badGguf } from './errors.ts';
import { readHeader } from './header.ts';
import type { Metadata } from './metadata.ts';
import { officialTensors } from './model.ts';

const MODEL = 'tokenizer.ggml.model';
const TOKENS = 'tokenizer.ggml.tokens';
const TYPES = 'tokenizer.ggml.token_type';
const END_OF_TEXT = 'tokenizer.ggml.eos_token_id';

/**
 * Opens a .gguf file of RWKV-6 or 7 as llama.cpp has them: versions 2 and 3, little-endian. Its tensors come under their
 * official names, as the plain model: fused mixes taken apart, LoRA matrices transposed back, rescaled ones restored.
 *
 * @throws ReceptanceError `NOT_A_CHECKPOINT`, `TRUNCATED_FILE`, `BAD_HEADER`, `BAD_TENSOR`, `UNSUPPORTED_DTYPE` or
 * `UNSUPPORTED_FORMAT`
 */
export function openGguf(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  return closingOnError(source, () => open(source, options));
}

async function open(source: ByteSource, { signal, onProgress }: OpenOptions): Promise<Checkpoint> {
  onProgress?.({ what: 'reading the header', done: 0, total: 1 });
  const header = await readHeader(source, new Set([TOKENS, TYPES]), signal);
  const stored = officialTensors(inCompany(source), header);
  onProgress?.({ what: 'reading the header', done: 1, total: 1 });
  const metadata = textsOf(header.metadata);
  const vocabulary = vocabularyOf(source.name, header.metadata);
  return checkpointOf({ format: 'gguf', source, stored, metadata, vocabulary });
}

function textsOf(metadata: Metadata): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [key, value] of metadata) {
    if (value !== undefined && !isArray(value)) texts[key] = String(value);
  }
  const eps = metadata.get(`${texts['general.architecture']}.attention.group_norm_epsilon`);
  if (typeof eps === 'number' && eps > 0) texts['groupNormEps'] = String(eps);
  return texts;
}

/** `no_vocab` and the like have no tokens. */
function vocabularyOf(file: string, metadata: Metadata): Vocabulary | undefined {
  const [model, tokens, types, end] = [MODEL, TOKENS, TYPES, END_OF_TEXT].map((key) => metadata.get(key));
  if (typeof model !== 'string' || tokens === undefined) return undefined;
  if (!isArray(tokens) || !tokens.every((token) => typeof token === 'string')) {
    throw badGguf(file, `its ${TOKENS} are no strings`);
  }
  if (types !== undefined && !(isArray(types) && types.every((type) => typeof type === 'number'))) {
    throw badGguf(file, `its ${TYPES} are no numbers`);
  }
  if (types !== undefined && types.length !== tokens.length) {
    throw badGguf(file, `it has ${tokens.length} tokens, but ${types.length} token types`);
  }
  const endOfText = typeof end === 'number' && end < tokens.length ? end : undefined;
  if (end !== undefined && endOfText === undefined) throw badGguf(file, `its ${END_OF_TEXT} is no token`);
  return { model, tokens, types, endOfText };
}

function isArray<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}
