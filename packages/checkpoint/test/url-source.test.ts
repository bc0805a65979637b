import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { openCheckpoint, urlSource } from '../src/index.ts';
import { refusal } from './support/sources.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function serve(handler: Handler): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return `http://127.0.0.1:${address.port}/model.gguf`;
}

const data = Uint8Array.from({ length: 1000 }, (_, i) => i & 255);

/** Serves ranges as a server should; `answer` may change what it sends. */
function ranges(
  bytes: Uint8Array = data,
  answer: (headers: Record<string, string>, part: Uint8Array, count: number) => Uint8Array = (_, part) => part,
): Handler {
  let count = 0;
  return (request, response) => {
    const [, from = '', to = ''] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const [start, end] = [Number(from), Math.min(Number(to), bytes.length - 1)];
    if (start >= bytes.length) {
      response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
      return;
    }
    const headers = { 'content-range': `bytes ${start}-${end}/${bytes.length}`, etag: '"1"' };
    const part = answer(headers, bytes.subarray(start, end + 1), count++);
    response.writeHead(206, headers).end(part);
  };
}

describe('a file on a server', () => {
  it('is read by ranges', async () => {
    const asked: string[] = [];
    const handler = ranges();
    const source = await urlSource(
      await serve((request, response) => {
        asked.push(`${request.headers.range} ${request.headers.authorization}`);
        handler(request, response);
      }),
      { headers: { authorization: 'Bearer x' } },
    );
    expect(source.size).toBe(1000);
    expect(await source.read(10, 20)).toEqual(data.slice(10, 20));
    expect(await source.read(0, 1000)).toEqual(data);
    expect(await source.read(5, 5)).toEqual(new Uint8Array(0));
    expect(asked).toEqual(['bytes=0-0 Bearer x', 'bytes=10-19 Bearer x', 'bytes=0-999 Bearer x']);
    expect(await refusal(source.read(990, 1001))).toMatchObject({ code: 'TRUNCATED_FILE' });
    expect(await refusal(source.read(3, 2))).toMatchObject({ code: 'BAD_RANGE' });
  });

  it('may be empty', async () => {
    const source = await urlSource(await serve(ranges(new Uint8Array(0))));
    expect(source.size).toBe(0);
  });

  it('says how far it is', async () => {
    const seen: number[] = [];
    const source = await urlSource(await serve(ranges()), { onProgress: ({ done, total }) => seen.push(done, total) });
    await source.read(0, 400);
    await source.read(400, 1000);
    expect(seen.at(-2)).toBe(1000);
    expect(seen.at(-1)).toBe(1000);
  });

  it('is a checkpoint', async () => {
    const path = new URL('../../conformance/golden/models/rwkv7_l2_c128_v97.q8_0.gguf', import.meta.url);
    const bytes = new Uint8Array(readFileSync(path));
    let sent = 0;
    const url = await serve(
      ranges(bytes, (_, part) => {
        sent += part.length;
        return part;
      }),
    );
    const checkpoint = await openCheckpoint(await urlSource(url));
    expect(checkpoint.format).toBe('gguf');
    expect((await checkpoint.read('ln_out.weight')).length).toBe(512);
    // The whole file to find its tensors, and what is read in company with the first bytes.
    expect(sent).toBeLessThanOrEqual(bytes.length + 2 ** 16 + 1000);
  });

  it.each<[string, Handler, string, RegExp]>([
    ['that is not there', (_, response) => void response.writeHead(404).end(), 'FILE_NOT_FOUND', /404/],
    ['that needs permission', (_, response) => void response.writeHead(403).end(), 'READ_FAILED', /403/],
    ['of a broken server', (_, response) => void response.writeHead(500).end(), 'READ_FAILED', /500/],
    ['of a server without ranges', (_, response) => void response.writeHead(200).end(data), 'NO_RANGES', /whole file/],
    [
      'without Content-Range',
      (_, response) => void response.writeHead(206).end(data.subarray(0, 1)),
      'NO_RANGES',
      /Content-Range/,
    ],
    [
      'of unknown size',
      (_, response) => void response.writeHead(206, { 'content-range': 'bytes 0-0/*' }).end('x'),
      'READ_FAILED',
      /Content-Range/,
    ],
    ['whose server hangs up', (request) => void request.socket.destroy(), 'READ_FAILED', /could not be read/],
  ])('%s is refused', async (_what, handler, code, message) => {
    const error = await refusal(urlSource(`${await serve(handler)}?token=secret`));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.message).toContain('/model.gguf');
    expect(error.message).not.toContain('secret');
    expect(error.hint).toBeTruthy();
  });

  /** A server whose answers are right at first, and then are not. */
  const later = (wrong: Record<string, string>, change = (part: Uint8Array) => part): Handler =>
    ranges(data, (headers, part, count) => {
      if (count === 0) return part;
      Object.assign(headers, wrong);
      return change(part);
    });

  it.each<[string, Handler, string]>([
    ['has another tag', later({ etag: '"2"' }), 'FILE_CHANGED'],
    ['has another size', later({ 'content-range': 'bytes 10-19/2000' }), 'FILE_CHANGED'],
    ['sends another range', later({ 'content-range': 'bytes 0-9/1000' }), 'READ_FAILED'],
    ['sends too few bytes', later({}, (part) => part.subarray(1)), 'TRUNCATED_FILE'],
    ['sends too many bytes', later({}, () => data), 'READ_FAILED'],
  ])('that %s later is noticed', async (_what, handler, code) => {
    const source = await urlSource(await serve(handler));
    const error = await refusal(source.read(10, 20));
    expect(error.code).toBe(code);
    expect(error.hint).toBeTruthy();
  });

  it('is not waited for after an abort', async () => {
    const url = await serve(
      ((handler): Handler => {
        let count = 0;
        return (request, response) => (count++ === 0 ? handler(request, response) : undefined);
      })(ranges()),
    );
    const source = await urlSource(url);
    const controller = new AbortController();
    const read = source.read(0, 10, controller.signal);
    setTimeout(() => controller.abort(new Error('enough')), 20);
    await expect(read).rejects.toThrow('enough');
    await expect(urlSource(url, { signal: AbortSignal.abort(new Error('no more')) })).rejects.toThrow('no more');
  });

  it('is not waited for after an abort when a checkpoint is opened or read', async () => {
    const path = new URL('../../conformance/golden/models/rwkv7_l2_c128_v97.safetensors', import.meta.url);
    const bytes = new Uint8Array(readFileSync(path));
    let stalls = false;
    const whole = ranges(bytes);
    const url = await serve((request, response) => {
      if (!stalls) return whole(request, response);
      const [, from = '', to = ''] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
      response.writeHead(206, { 'content-range': `bytes ${from}-${to}/${bytes.length}`, etag: '"1"' });
      response.write(bytes.subarray(Number(from), Number(from) + 3));
    });
    const checkpoint = await openCheckpoint(await urlSource(url));
    const source = await urlSource(url);
    stalls = true;
    const aborted = (): AbortSignal => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(new Error('enough')), 20);
      return controller.signal;
    };
    await expect(openCheckpoint(source, { signal: aborted() })).rejects.toThrow('enough');
    await expect(checkpoint.read('ln_out.weight', undefined, aborted())).rejects.toThrow('enough');
    stalls = false;
    expect((await checkpoint.read('ln_out.weight')).length).toBe(512);
  });

  it.each(['model.gguf', 'file:///model.gguf', ''])('has an address of the web: not %j', async (url) => {
    expect(await refusal(urlSource(url))).toMatchObject({ code: 'READ_FAILED' });
  });
});
