import { type Progress, ReceptanceError } from '@receptance/core';
import { text } from '../text.ts';
import type { Entry } from './entry.ts';
import type { Context } from './handlers.ts';
import { ensureRoom, writeAll } from './stored-bytes.ts';

/**
 * Fetches a file to where it is kept, from where an earlier attempt ended. What is there is thrown away when the server
 * has another version of the file by now, or serves files only whole. Aborting leaves what has come.
 * @throws ReceptanceError `FILE_NOT_FOUND`, `READ_FAILED`, `TRUNCATED_FILE`, `NO_ROOM`
 */
export async function fetchInto(entry: Entry, address: URL, { emit, signal }: Context<Progress>): Promise<void> {
  const { size } = entry.about;
  const have = await entry.received();
  if (size !== undefined && size > 0 && have === size) return;
  const { response, start, total } = await request(entry, address, have, signal);
  await entry.note({ size: total, tag: tagOf(response), sha256: undefined });
  await ensureRoom((total ?? 0) - start);
  const access = await entry.access();
  let at = start;
  try {
    access.truncate(start);
    const progress = (): void => emit({ what: 'downloading', done: at, total: total ?? 0 });
    progress();
    for await (const bytes of response.body ?? []) {
      signal.throwIfAborted();
      writeAll(access, bytes, at);
      at += bytes.length;
      progress();
    }
    signal.throwIfAborted();
  } catch (error) {
    signal.throwIfAborted();
    throw isQuota(error) ? error : unreadable(address, error);
  } finally {
    access.flush();
    access.close();
  }
  if (total === undefined) await entry.note({ size: at });
  else if (at !== total) {
    throw new ReceptanceError('TRUNCATED_FILE', text.errors.cutShort(nameOf(address), at, total), {
      hint: text.errors.cutShortHint,
    });
  }
}

interface Answer {
  readonly response: Response;
  /** Where its bytes belong. */
  readonly start: number;
  readonly total: number | undefined;
}

async function request(entry: Entry, address: URL, have: number, signal: AbortSignal): Promise<Answer> {
  if (have > 0) {
    const response = await get(address, { range: `bytes=${have}-` }, signal);
    const total = rangeFrom(response, have);
    const same = total !== undefined && total === entry.about.size && tagOf(response) === entry.about.tag;
    if (same) return { response, start: have, total };
    await response.body?.cancel();
  }
  const response = await get(address, {}, signal);
  if (!response.ok) throw refused(address, response.status);
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  const plain = (response.headers.get('content-encoding') ?? '') === '';
  return { response, start: 0, total: plain && Number.isSafeInteger(length) && length > 0 ? length : undefined };
}

async function get(address: URL, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(address, { headers, signal, cache: 'no-store' });
  } catch (error) {
    signal.throwIfAborted();
    throw unreadable(address, error);
  }
}

/** The size of the whole file, where an answer is the part that begins at `start`. */
function rangeFrom({ status, headers }: Response, start: number): number | undefined {
  const match = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get('content-range') ?? '');
  return status === 206 && match?.[1] === `${start}` ? Number(match[2]) : undefined;
}

/** A weak tag will do: it changes with the file. */
function tagOf({ headers }: Response): string | undefined {
  return headers.get('etag') ?? headers.get('last-modified') ?? undefined;
}

function nameOf({ origin, pathname }: URL): string {
  return origin + pathname;
}

function refused(address: URL, status: number): ReceptanceError {
  const missing = status === 404 || status === 410;
  return new ReceptanceError(missing ? 'FILE_NOT_FOUND' : 'READ_FAILED', text.errors.refused(nameOf(address), status), {
    hint: text.errors.refusedHint,
  });
}

function unreadable(address: URL, cause: unknown): ReceptanceError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ReceptanceError('READ_FAILED', text.errors.unreadable(nameOf(address), reason), {
    hint: text.errors.unreadableHint,
    cause,
  });
}

function isQuota(error: unknown): boolean {
  return error instanceof Error && error.name === 'QuotaExceededError';
}
