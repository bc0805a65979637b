import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileSource, writeWhole } from '@receptance/checkpoint/node';
import { type ProgressListener, ReceptanceError } from '@receptance/core';
import type { Tokenizer } from '@receptance/tokenizer';
import { type TokenSource, type TokenWidth, tokenBytes } from '../data/token-source.ts';
import { documents, type TextFile, textFiles } from './documents.ts';

/** Tokens of a file, read by ranges; `<file>.json` beside it says what they are. */
export interface TokenFile extends TokenSource {
  readonly documents: number;
  close(): Promise<void>;
}

interface Description {
  readonly format: 'receptance-tokens-1';
  readonly tokens: number;
  readonly documents: number;
  /** Bytes of a token. */
  readonly width: TokenWidth;
  readonly vocabularySize: number;
  /** What it was made of: it is made again when this changes. */
  readonly sources: readonly TextFile[];
  readonly tokenizer: string;
}

export interface PrepareOptions {
  /** A file of text or `.jsonl`, or a folder of them; the folder of `out` in it is left out, and so are those of trainings. */
  readonly data: string;
  readonly tokenizer: Tokenizer;
  /** What the tokenizer is: another name makes the file anew. */
  readonly tokenizerName: string;
  /** The file of tokens to write, or to take when it was made of the same. */
  readonly out: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/**
 * Text as a file of tokens: documents one after the other, the end of text after each where the tokenizer has one. In memory
 * there is a piece of the text at a time (see `documents`), and its tokens.
 * @throws ReceptanceError `FILE_NOT_FOUND`, `NO_DOCUMENTS`, `BAD_TEXT`, `READ_FAILED`, `WRITE_FAILED`
 */
export async function prepareTokens(options: PrepareOptions): Promise<TokenFile> {
  const { data, tokenizer, tokenizerName, out } = options;
  const sources = await textFiles(data, dirname(out));
  const known = await describedBy(out);
  const same =
    known?.tokenizer === tokenizerName &&
    known.vocabularySize === tokenizer.vocabularySize &&
    JSON.stringify(known.sources) === JSON.stringify(sources) &&
    known.tokens * known.width === (await stat(out).catch(() => undefined))?.size;
  if (!same) await write(options, sources);
  return openTokens(out);
}

/**
 * Opens what `prepareTokens` wrote.
 * @throws ReceptanceError `FILE_NOT_FOUND`, `BAD_TOKENS`
 */
export async function openTokens(path: string): Promise<TokenFile> {
  const described = await describedBy(path);
  if (described === undefined) {
    throw new ReceptanceError('BAD_TOKENS', `${path}.json does not describe a file of tokens`, {
      hint: 'prepare the data again',
    });
  }
  const file = await fileSource(path);
  const { length, read } = tokenBytes(file, described.width);
  if (length === described.tokens) return { length, read, documents: described.documents, close: file.close };
  await file.close();
  throw new ReceptanceError('BAD_TOKENS', `${path} holds ${length} tokens, not ${described.tokens}`, {
    hint: 'it is cut short, or was changed: prepare the data again',
  });
}

async function describedBy(path: string): Promise<Description | undefined> {
  const text = await readFile(`${path}.json`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isDescription(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isDescription(value: unknown): value is Description {
  if (typeof value !== 'object' || value === null || !('format' in value) || !('width' in value)) return false;
  return value.format === 'receptance-tokens-1' && [1, 2, 4].includes(Number(value.width));
}

async function write(options: PrepareOptions, sources: readonly TextFile[]): Promise<void> {
  const { tokenizer, tokenizerName, out, signal, onProgress } = options;
  const { vocabularySize } = tokenizer;
  const width = vocabularySize <= 2 ** 8 ? 1 : vocabularySize <= 2 ** 16 ? 2 : 4;
  const total = sources.reduce((sum, { bytes }) => sum + bytes, 0);
  const counts = { tokens: 0, documents: 0 };
  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    let done = 0;
    for (const { path, bytes } of sources) {
      for await (const { text, ends } of documents(path)) {
        signal?.throwIfAborted();
        const ids = tokenizer.encode(text);
        if (ends) counts.documents++;
        if (ends && tokenizer.endOfText !== undefined) ids.push(tokenizer.endOfText);
        counts.tokens += ids.length;
        yield bytesOf(ids, width);
        onProgress?.({ what: 'tokenising', done, total });
      }
      done += bytes;
    }
    onProgress?.({ what: 'tokenising', done, total });
  }
  await writeWhole(out, chunks());
  const described: Description = {
    format: 'receptance-tokens-1',
    ...counts,
    width,
    vocabularySize,
    sources,
    tokenizer: tokenizerName,
  };
  await writeWhole(`${out}.json`, [new TextEncoder().encode(`${JSON.stringify(described, undefined, 2)}\n`)]);
}

function bytesOf(ids: readonly number[], width: TokenWidth): Uint8Array {
  const bytes = new Uint8Array(ids.length * width);
  const view = new DataView(bytes.buffer);
  ids.forEach((id, i) => {
    if (width === 1) view.setUint8(i, id);
    else if (width === 2) view.setUint16(2 * i, id, true);
    else view.setUint32(4 * i, id, true);
  });
  return bytes;
}
