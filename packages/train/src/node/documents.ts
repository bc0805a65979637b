import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { ReceptanceError } from '@receptance/core';

/** What files of a folder are read. */
const TEXTS: readonly string[] = ['.txt', '.md', '.jsonl'];
/** Files that a training keeps beside its log: `TrainingFolder`, and `receptance train`, which begins with the tokens. */
const OF_TRAINING: readonly string[] = ['training.safetensors', 'data.tokens.json'];
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
 * Left out are links, and folders below it in which a training is kept, or which are `without`.
 * @throws ReceptanceError `FILE_NOT_FOUND`, `NO_DOCUMENTS`
 */
export async function textFiles(path: string, without?: string): Promise<TextFile[]> {
  const about = await stat(path).catch((cause: unknown) => {
    throw new ReceptanceError('FILE_NOT_FOUND', `${path}: no such file or folder`, { hint: 'check the path', cause });
  });
  if (!about.isDirectory()) return [{ path, bytes: about.size, modified: about.mtimeMs }];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const trainings = entries.filter(({ name }) => OF_TRAINING.includes(name)).map(({ parentPath }) => parentPath);
  const others = [...trainings, ...(without === undefined ? [] : [without])].filter((each) => isBelow(each, path));
  const paths = entries
    .filter((entry) => entry.isFile() && TEXTS.includes(extname(entry.name).toLowerCase()))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((each) => !others.some((other) => isBelow(each, other)))
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

function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`);
}

/**
 * The documents of a file: a file of text is one, in pieces that end with a line or, where a line is longer than 8
 * million characters, with a space of it: without one it comes whole; of a `.jsonl` each line is, a string or an object with a `text`.
 * @throws ReceptanceError `BAD_TEXT` naming the file, and the line of a `.jsonl`; `READ_FAILED`
 */
export function documents(path: string): AsyncGenerator<Piece, void, undefined> {
  return extname(path).toLowerCase() === '.jsonl' ? jsonLines(path) : wholeText(path);
}

async function* wholeText(path: string): AsyncGenerator<Piece, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let pending = '';
  for await (const bytes of bytesOf(path)) {
    pending += decoded(decoder, path, bytes, true);
    const cut = pieceEnd(pending) || (pending.length > LONGEST ? pending.lastIndexOf(' ') : 0);
    if (cut <= 0) continue;
    yield { text: pending.slice(0, cut), ends: false };
    pending = pending.slice(cut);
  }
  yield { text: pending + decoded(decoder, path), ends: true };
}

/** Where a piece may end: before the last line that begins with something else than a space, for no token reaches across that. */
function pieceEnd(text: string): number {
  for (let at = text.length - 2; at >= 0; at--) {
    if (text[at] === '\n' && /\S/.test(text[at + 1] ?? '')) return at + 1;
  }
  return 0;
}

async function* jsonLines(path: string): AsyncGenerator<Piece, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let number = 0;
  for await (const bytes of linesOf(path)) {
    const where = `${path}:${++number}`;
    const line = decoded(decoder, where, bytes);
    if (line.trim() !== '') yield { text: textOf(line, where), ends: true };
  }
}

/** Lines end with the byte 10 and nothing else: U+2028 and U+2029 may stand in a JSON string. */
async function* linesOf(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  let begun: Uint8Array[] = [];
  for await (const bytes of bytesOf(path)) {
    let from = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
      yield Buffer.concat([...begun, bytes.subarray(from, end)]);
      begun = [];
      from = end + 1;
    }
    begun.push(bytes.subarray(from));
  }
  yield Buffer.concat(begun);
}

async function* bytesOf(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* createReadStream(path, { highWaterMark: PIECE });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ReceptanceError('READ_FAILED', `${path} could not be read (${why})`, {
      hint: 'check that the file is still there and may be read',
      cause,
    });
  }
}

function decoded(decoder: TextDecoder, where: string, bytes?: Uint8Array, stream = false): string {
  try {
    return decoder.decode(bytes, { stream });
  } catch (cause) {
    throw badText(`${where} is not UTF-8`, 'convert it to UTF-8 first', cause);
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
