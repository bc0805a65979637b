import type { AbortSignalLike, ProgressListener } from '@receptance/core';
import type { ByteSource } from './byte-source.ts';
import { checkRange, readFailed, shortRead } from './byte-source.ts';
import { checkpointError } from './errors.ts';

export interface UrlSourceOptions {
  /** Sent with every request, for instance an authorization. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Stops all requests of the source. */
  readonly signal?: AbortSignal | undefined;
  /** Told after every piece of a body: bytes fetched so far, of the size of the file. */
  readonly onProgress?: ProgressListener | undefined;
}

/** What must stay the same from request to request. */
interface Version {
  readonly size: number;
  readonly tag: string | null;
}

/**
 * The bytes of a file on a web server, by HTTP ranges: only what is asked for is fetched, and nothing is kept. Asks once at
 * first, for the file's size and version.
 *
 * @throws ReceptanceError `FILE_NOT_FOUND`, `READ_FAILED`, or `NO_RANGES` when the server does not serve parts of files;
 * reading throws `FILE_CHANGED` when the server has another version of the file by then
 */
export async function urlSource(url: string | URL, options: UrlSourceOptions = {}): Promise<ByteSource> {
  const address = parse(url);
  // No user, password or query: tokens live there.
  const name = `${address.origin}${address.pathname}`;
  const file: RemoteFile = { address, name, options };
  const { size, tag } = await probe(file);
  let fetched = 0;
  const progress = (bytes: number): void => {
    fetched += bytes;
    options.onProgress?.({ what: 'downloading', done: fetched, total: size });
  };
  return {
    size,
    name,
    async read(start, end, signal) {
      signal?.throwIfAborted();
      options.signal?.throwIfAborted();
      checkRange({ size, name }, start, end);
      if (start === end) return new Uint8Array(0);
      const response = await request(file, start, end, signal);
      try {
        checkPart(name, response, { size, tag }, start, end);
        return await body(name, response, start, end, progress, signal);
      } catch (error) {
        await discard(response);
        signal?.throwIfAborted();
        options.signal?.throwIfAborted();
        throw error;
      }
    },
  };
}

interface RemoteFile {
  readonly address: URL;
  readonly name: string;
  readonly options: UrlSourceOptions;
}

function parse(url: string | URL): URL {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  if (address?.protocol === 'http:' || address?.protocol === 'https:') return address;
  throw checkpointError(
    'READ_FAILED',
    'the URL',
    address === undefined ? 'is none' : `begins with ${address.protocol}`,
    'give a whole address that begins with https:// or http://',
  );
}

/** Size and version of the file, from the answer to a request for its first byte. */
async function probe(file: RemoteFile): Promise<Version> {
  const response = await request(file, 0, 1, undefined);
  await discard(response);
  const tag = tagOf(response);
  const range = response.headers.get('content-range');
  // Nothing is the first byte of an empty file.
  if (response.status === 416 && range === 'bytes */0') return { size: 0, tag };
  if (response.status === 206 && range === null) {
    throw checkpointError(
      'NO_RANGES',
      file.name,
      'the answer has no Content-Range that may be read',
      'let the server send Access-Control-Expose-Headers: Content-Range, ETag, or fetch the file whole',
    );
  }
  if (response.status !== 206) throw refused(file.name, response);
  const size = Number(/^bytes 0-0\/(\d+)$/.exec(range ?? '')?.[1] ?? Number.NaN);
  if (!Number.isSafeInteger(size)) throw badAnswer(file.name, `its Content-Range is ${JSON.stringify(range)}`);
  return { size, tag };
}

async function request(
  { address, name, options }: RemoteFile,
  start: number,
  end: number,
  signal: AbortSignalLike | undefined,
): Promise<Response> {
  const signals = [options.signal, signal].filter((one) => one instanceof AbortSignal);
  try {
    return await fetch(address, {
      headers: { ...options.headers, range: `bytes=${start}-${end - 1}` },
      signal: AbortSignal.any(signals),
    });
  } catch (cause) {
    signal?.throwIfAborted();
    options.signal?.throwIfAborted();
    throw readFailed(name, cause instanceof Error && cause.cause !== undefined ? cause.cause : cause);
  }
}

function checkPart(name: string, response: Response, { size, tag }: Version, start: number, end: number): void {
  const changed = checkpointError(
    'FILE_CHANGED',
    name,
    'is another file on the server than it was when it was opened',
    'open it again',
  );
  if (response.status === 416) throw changed;
  if (response.status !== 206) throw refused(name, response);
  if (tagOf(response) !== tag) throw changed;
  const range = response.headers.get('content-range');
  if (range === `bytes ${start}-${end - 1}/${size}`) return;
  if (/^bytes \d+-\d+\/\d+$/.test(range ?? '') && !range?.endsWith(`/${size}`)) throw changed;
  throw badAnswer(name, `bytes ${start}-${end - 1} are asked for, and ${JSON.stringify(range)} are the answer`);
}

/** The bytes of an answer, never more than were asked for. */
async function body(
  name: string,
  response: Response,
  start: number,
  end: number,
  progress: (bytes: number) => void,
  signal: AbortSignalLike | undefined,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - start);
  let done = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const { value } = (await reader?.read().catch((cause: unknown) => {
      throw readFailed(name, cause);
    })) ?? { value: undefined };
    signal?.throwIfAborted();
    if (value === undefined) break;
    if (done + value.length > bytes.length) {
      await reader?.cancel();
      throw badAnswer(name, `more than the ${bytes.length} bytes asked for are the answer`);
    }
    bytes.set(value, done);
    done += value.length;
    progress(value.length);
  }
  if (done < bytes.length) throw shortRead(name, start, end, start + done);
  return bytes;
}

/** A weak tag will do: it changes with the file. */
function tagOf({ headers }: Response): string | null {
  return headers.get('etag') ?? headers.get('last-modified');
}

async function discard(response: Response): Promise<void> {
  if (response.body?.locked === false) await response.body.cancel();
}

function refused(name: string, { status }: Response): Error {
  if (status === 404 || status === 410) {
    return checkpointError('FILE_NOT_FOUND', name, `the server has no such file (${status})`, 'check the address');
  }
  if (status === 200) {
    return checkpointError(
      'NO_RANGES',
      name,
      'the server sends the whole file where a part is asked for',
      'use a server that supports HTTP ranges, or download the file and open it from disk or as a Blob',
    );
  }
  const hint =
    status === 401 || status === 403
      ? 'the file needs permission: pass `headers` with an authorization'
      : 'try again later, or check the address';
  return checkpointError('READ_FAILED', name, `the server answers ${status}`, hint);
}

function badAnswer(name: string, what: string): Error {
  return checkpointError('READ_FAILED', name, what, 'the server or a proxy in between does not keep to HTTP ranges');
}
