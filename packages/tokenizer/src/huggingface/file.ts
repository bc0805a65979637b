import { ReceptanceError } from '@receptance/core';
import { MOST_TOKENS } from '../vocabulary/packed.ts';
import { withWords } from './pre-tokenizer.ts';
import { neededTokens, type Spelling, tokenBytes } from './token-bytes.ts';

/** What is read of a `tokenizer.json` here. */
export interface TokenizerFile {
  /** The file as the library is given it. */
  readonly json: Readonly<Record<string, unknown>>;
  /** By id; an id without a token has none. */
  readonly bytes: ReadonlyMap<number, Uint8Array>;
  /** Ids of the added tokens that are marked as special, by their text. */
  readonly special: ReadonlyMap<string, number>;
}

/** @throws ReceptanceError `BAD_TOKENIZER` for what is no tokenizer.json, `TOKENIZER_UNSUPPORTED` for a kind not read */
export function readTokenizerFile(source: unknown): TokenizerFile {
  const json = record(typeof source === 'string' ? parse(source) : source, 'the file');
  const model = record(json['model'], 'model');
  const spelling = checkModel(json, model);
  checkSteps(json['normalizer'], 'normalizer', 0);
  checkSteps(json['pre_tokenizer'], 'pre_tokenizer', 0);
  const vocabulary = Object.entries(record(model['vocab'], 'model.vocab'));
  checkComplete(vocabulary, spelling);
  checkMerges(model['merges'], new Set(vocabulary.map(([token]) => token)));
  const bytes = new Map<number, Uint8Array>();
  const added = addedTokens(json['added_tokens']);
  // An added token that is also in the vocabulary is text as it stands.
  const texts = new Map(added.map(({ id, content }) => [id, content]));
  for (const [token, id] of vocabulary) {
    if (token === '') throw bad('model.vocab has an empty token');
    checkId(id, `model.vocab[${JSON.stringify(token)}]`);
    if (bytes.has(id)) throw bad(`two tokens of model.vocab have the id ${id}`);
    const text = texts.get(id);
    const spelled = text === token ? new TextEncoder().encode(token) : tokenBytes(token, spelling);
    if (spelled === undefined)
      throw bad(`model.vocab has ${JSON.stringify(token)}, which is not in the byte-level alphabet`);
    bytes.set(id, spelled);
  }
  const encoder = new TextEncoder();
  for (const { id, content } of added) {
    bytes.set(
      id,
      (spelling === 'byte-fallback' ? tokenBytes(content, spelling) : undefined) ?? encoder.encode(content),
    );
  }
  const special = new Map(added.flatMap((token) => (token.special ? [[token.content, token.id] as const] : [])));
  return { json: asLibraryReads(json, model), bytes, special };
}

/**
 * The library leaves out, in silence, what no token spells: an unknown token that has no id makes it visible.
 * Its own pattern for words is replaced, see `withWords`.
 */
function asLibraryReads(json: Readonly<Record<string, unknown>>, model: Readonly<Record<string, unknown>>) {
  return {
    ...json,
    pre_tokenizer: withWords(json['pre_tokenizer'] ?? null),
    model: { ...model, type: 'BPE', unk_token: model['unk_token'] ?? '' },
  };
}

function checkModel(json: Readonly<Record<string, unknown>>, model: Readonly<Record<string, unknown>>): Spelling {
  const type = model['type'] ?? (model['merges'] === undefined ? undefined : 'BPE');
  if (type !== 'BPE') throw unsupported(`its model is ${JSON.stringify(type)}`);
  for (const name of ['dropout', 'continuing_subword_prefix', 'continuing_subword_suffix', 'end_of_word_suffix']) {
    const value = model[name];
    if (value !== undefined && value !== null && value !== '' && value !== 0)
      throw unsupported(`its model has a ${name}`);
  }
  const decoders = flatten(json['decoder'], 'decoder', 'decoders');
  const types = new Set(decoders.map((step) => step['type']));
  const steps = flatten(json['pre_tokenizer'], 'pre_tokenizer', 'pretokenizers').map((step) => step['type']);
  const only = (allowed: readonly string[]) =>
    [...types].every((type) => typeof type === 'string' && allowed.includes(type));
  if (types.has('ByteLevel') && only(['ByteLevel', 'Fuse']) && steps.includes('ByteLevel')) return 'byte-level';
  const fallback = model['byte_fallback'] === true && types.has('ByteFallback');
  if (fallback && only(['ByteFallback', 'Replace', 'Metaspace', 'Fuse', 'Strip']) && decoders.every(isSpaceMark)) {
    return 'byte-fallback';
  }
  throw unsupported(`its decoder is ${[...types].map((type) => JSON.stringify(type)).join(', ') || 'none'}`);
}

/** Whether a replacement, if the step is one, is that of U+2581 by a space. */
function isSpaceMark(step: Readonly<Record<string, unknown>>): boolean {
  if (step['type'] === 'Metaspace') return (step['replacement'] ?? '\u2581') === '\u2581';
  if (step['type'] !== 'Replace') return true;
  return step['content'] === ' ' && record(step['pattern'], 'decoder.pattern')['String'] === '\u2581';
}

/** A step, or those of a sequence. */
function flatten(value: unknown, where: string, list: string): Readonly<Record<string, unknown>>[] {
  if (value === undefined || value === null) return [];
  const step = record(value, where);
  if (step['type'] !== 'Sequence') return [step];
  return array(step[list], `${where}.${list}`).map((item) => record(item, `${where}.${list}`));
}

/** The library ignores a pattern it cannot read; text would be encoded in another way, in silence. */
function checkSteps(value: unknown, where: string, depth: number): void {
  if (value === undefined || value === null) return;
  if (depth > 8) throw bad(`${where} is nested too deeply`);
  const step = record(value, where);
  for (const name of ['normalizers', 'pretokenizers']) {
    if (step[name] === undefined) continue;
    for (const item of array(step[name], `${where}.${name}`)) checkSteps(item, `${where}.${name}`, depth + 1);
  }
  if (step['type'] !== 'Replace' && step['type'] !== 'Split') return;
  const pattern = record(step['pattern'], `${where}.pattern`);
  if (typeof pattern['String'] === 'string' || typeof pattern['Regex'] === 'string') return;
  throw bad(`${where}.pattern is neither a String nor a Regex`);
}

function checkComplete(vocabulary: readonly (readonly [string, unknown])[], spelling: Spelling): void {
  const have = new Set(vocabulary.map(([token]) => token));
  const missing = neededTokens(spelling).filter((token) => !have.has(token));
  if (missing.length > 0) throw bad(`model.vocab lacks tokens of single bytes: ${missing.slice(0, 4).join(' ')}`);
}

function checkMerges(merges: unknown, tokens: ReadonlySet<string>): void {
  for (const merge of array(merges, 'model.merges')) {
    const pair: unknown = typeof merge === 'string' ? merge.split(' ') : merge;
    if (!Array.isArray(pair) || pair.length !== 2 || pair.some((part) => typeof part !== 'string' || part === '')) {
      throw bad(`model.merges has ${JSON.stringify(merge)?.slice(0, 40)}, which is no pair of tokens`);
    }
    if (!tokens.has(pair.join(''))) throw bad(`model.vocab lacks ${JSON.stringify(pair.join(''))}, which merges make`);
  }
}

function addedTokens(value: unknown): { id: number; content: string; special: boolean }[] {
  return array(value ?? [], 'added_tokens').map((item) => {
    const { id, content, special } = record(item, 'added_tokens');
    checkId(id, 'an id of added_tokens');
    if (typeof content !== 'string' || content === '') throw bad(`added token ${id} has no content`);
    return { id, content, special: special === true };
  });
}

function checkId(id: unknown, where: string): asserts id is number {
  if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < MOST_TOKENS) return;
  throw bad(`${where} is ${String(JSON.stringify(id)).slice(0, 40)}, which is no token id`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw bad('the file is not JSON', cause);
  }
}

function record(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw bad(`${where} is not an object`);
}

function array(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw bad(`${where} is not a list`);
}

export function bad(message: string, cause?: unknown): ReceptanceError {
  return new ReceptanceError('BAD_TOKENIZER', `tokenizer.json: ${message}`, {
    hint: 'give a tokenizer.json as the Hugging Face tokenizers library writes it',
    cause,
  });
}

function unsupported(reason: string): ReceptanceError {
  return new ReceptanceError('TOKENIZER_UNSUPPORTED', `tokenizer.json: ${reason}`, {
    hint: 'BPE over bytes (ByteLevel) or with byte fallback is read; for World models use worldTokenizer',
  });
}
