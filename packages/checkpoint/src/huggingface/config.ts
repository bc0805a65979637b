import type { ByteSource } from '../byte-source.ts';
import { readExactly } from '../byte-source.ts';
import type { OpenOptions } from '../checkpoint.ts';
import { checkpointError } from '../errors.ts';
import type { JsonObject } from '../safetensors/json.ts';
import { JsonError, parseJson } from '../safetensors/json.ts';

/** What a `config.json` says that the tensors do not. */
export interface ModelConfig {
  readonly normEps: number | undefined;
  readonly tiedEmbeddings: boolean;
}

const LONGEST_CONFIG = 2 ** 20;

/**
 * Reads a `config.json`. `rescale_every` is not looked at: it is a trick of running in half precision, and the weights
 * are stored plain.
 * @throws ReceptanceError `BAD_HEADER`
 */
export async function readConfig(source: ByteSource, options: OpenOptions): Promise<ModelConfig> {
  const config = await readJson(source, LONGEST_CONFIG, options);
  const eps = config.get('norm_eps') ?? config.get('layer_norm_epsilon');
  if (eps !== undefined && !(typeof eps === 'number' && eps > 0 && eps < 1)) {
    throw badJson(source.name, 'its eps of the layer norms is no number between 0 and 1');
  }
  return { normEps: eps, tiedEmbeddings: config.get('tie_word_embeddings') === true };
}

/** A small JSON file that holds an object. @throws ReceptanceError `BAD_HEADER` */
export async function readJson(source: ByteSource, longest: number, { signal }: OpenOptions): Promise<JsonObject> {
  if (source.size > longest) throw badJson(source.name, `has ${source.size} bytes; the limit is ${longest}`);
  const bytes = await readExactly(source, 0, source.size, signal);
  try {
    const root = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (root instanceof Map) return root;
  } catch (cause) {
    if (cause instanceof JsonError) throw badJson(source.name, `is not JSON: ${cause.message}`, cause);
    if (cause instanceof TypeError) throw badJson(source.name, 'is not UTF-8', cause);
    throw cause;
  }
  throw badJson(source.name, 'is not a JSON object');
}

export function badJson(file: string, what: string, cause?: unknown): Error {
  return checkpointError('BAD_HEADER', file, what, 'fetch or copy the file again', cause);
}
