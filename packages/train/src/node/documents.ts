import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { ReceptanceError } from '@receptance/core';

/** What files of a folder are read. */
const TEXTS: readonly string[] = ['.txt', '.md', '.jsonl'];
/** Text handed on at a time. */
const PIECE = 1 << 20;
/** A line longer than this is cut at a space. */
const LONGEST = 1 << 23;

export interface TextFile {
  readonly path: string;
  readonly bytes: number;
  readonly modified: number;
}

/** A piece of a document; the last one says so. */
export interface Piece {
  readonly text: string;
  readonly ends: boolean;
}

/**
 * The files of text under a path: itself, or all `.txt`, `.md` and `.jsonl` in a folder and below, in the order of their names.
 * @throws ReceptanceError `FILE_NOT_FOUND`, `NO_DOCUMENTS`
 */
export async function textFiles(path: string): Promise<TextFile[]> {
  const about = await stat(path).catch((cause: unknown) => {
    throw new ReceptanceError('FILE_NOT_FOUND', `${path}: no such file or folder`, { hint: 'check the path', cause });
  });
  if (!about.isDirectory()) return [{ path, bytes: about.size, modified: about.mtimeMs }];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && TEXTS.includes(extname(entry.name).toLowerCase()))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  if (paths.length === 0) {
    throw new ReceptanceError('NO_DOCUMENTS', `${path} holds no text`, {
      hint: `it is searched for ${TEXTS.join(', ')}`,
    });
  }
  const files = paths.map(async (each) => ({ each, about: await stat(each) }));
  return (await Promise.all(files)).map(({ each, about: { size, mtimeMs } }) => ({
    ...{ path: each, bytes: size, modified: mtimeMs },
  }));
}

/**
 * The documents of a file, in pieces that end with a line: a file of text is one; of a `.jsonl` each line is, a string or an object
 * with a `text`.
 * @throws ReceptanceError `BAD_TEXT` naming the file, and the line of a `.jsonl`
 */
export function documents(path: string): AsyncGenerator<Piece, void, undefined> {
  return extname(path).toLowerCase() === '.jsonl' ? jsonLines(path) : wholeText(path);
}

async function* wholeText(path: string): AsyncGenerator<Piece, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const decode = (bytes?: Uint8Array): string => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch (cause) {
      throw badText(`${path} is not UTF-8`, 'convert it to UTF-8 first', cause);
    }
  };
  let pending = '';
  for await (const bytes of createReadStream(path, { highWaterMark: PIECE })) {
    pending += decode(bytes);
    const cut = pieceEnd(pending) || (pending.length > LONGEST ? pending.lastIndexOf(' ') : 0);
    if (cut <= 0) continue;
    yield { text: pending.slice(0, cut), ends: false };
    pending = pending.slice(cut);
  }
  yield { text: pending + decode(), ends: true };
}

/** Where a piece may end: before the last line that begins with something else than a space, for no token reaches across that. */
function pieceEnd(text: string): number {
  for (let at = text.length - 2; at >= 0; at--) {
    if (text[at] === '\n' && /\S/.test(text[at + 1] ?? '')) return at + 1;
  }
  return 0;
}

async function* jsonLines(path: string): AsyncGenerator<Piece, void, undefined> {
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
  let number = 0;
  for await (const line of lines) {
    number++;
    if (line.trim() !== '') yield { text: textOf(line, `${path}:${number}`), ends: true };
  }
}

function textOf(line: string, where: string): string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw badText(`${where} is no JSON`, 'a .jsonl has one JSON value on each line', cause);
  }
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null && 'text' in value && typeof value.text === 'string')
    return value.text;
  throw badText(`${where} has no text`, 'each line is a string, or an object whose "text" is one');
}

function badText(message: string, hint: string, cause?: unknown): ReceptanceError {
  return new ReceptanceError('BAD_TEXT', message, { hint, cause });
}
