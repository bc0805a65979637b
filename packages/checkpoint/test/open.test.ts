import { describe, expect, it } from 'vitest';
import { bytesSource, openCheckpoint } from '../src/index.ts';
import { fixture, openBytes, refusal } from './support/sources.ts';
import { utf8, zip } from './support/zip.ts';

describe('the format', () => {
  it('is told from the content, not from the name', async () => {
    expect((await openBytes(fixture('views.pth'), 'model.safetensors')).format).toBe('pth');
    expect((await openBytes(fixture('views.safetensors'), 'model.pth')).format).toBe('safetensors');
  });

  const refused: readonly (readonly [string, Uint8Array, string, RegExp])[] = [
    ['nothing', new Uint8Array(0), 'NOT_A_CHECKPOINT', /empty/],
    ['a few bytes', Uint8Array.of(1, 2, 3), 'NOT_A_CHECKPOINT', /is no/],
    ['text', Uint8Array.from(utf8('hello, I am no checkpoint at all')), 'NOT_A_CHECKPOINT', /is no/],
    ['a web page', Uint8Array.from(utf8('\n<!doctype html><html></html>')), 'NOT_A_CHECKPOINT', /web page/],
    [
      'a Git LFS pointer',
      Uint8Array.from(utf8('version https://git-lfs.github.com/spec/v1')),
      'NOT_A_CHECKPOINT',
      /LFS/,
    ],
    ['the beginning of a GGUF file', Uint8Array.from(utf8('GGUF....')), 'TRUNCATED_FILE', /header/],
    ['the old torch.save format', fixture('legacy.pth'), 'UNSUPPORTED_FORMAT', /old torch\.save/],
    ['a bare pickle', Uint8Array.of(0x80, 4, 0x7d, 0x2e), 'UNSUPPORTED_FORMAT', /bare Python pickle/],
    ['a TorchScript program', fixture('script.pth'), 'UNSUPPORTED_FORMAT', /TorchScript/],
    ['an empty zip', zip([]), 'NOT_A_CHECKPOINT', /without a data\.pkl/],
    [
      'another zip',
      zip([{ name: 'word/document.xml', data: new Uint8Array(3) }]),
      'NOT_A_CHECKPOINT',
      /without a data\.pkl/,
    ],
    ['the beginning of a zip', fixture('views.pth').subarray(0, 10), 'TRUNCATED_FILE', /end is missing/],
  ];

  it.each(refused)('%s is refused', async (_what, bytes, code, message) => {
    const error = await refusal(openBytes(bytes, 'the-file'));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.message).toContain('the-file');
    expect(error.hint).toBeTruthy();
  });
});

describe.each(['views.pth', 'views.safetensors'])('%s', (name) => {
  it('refuses names and ranges that are not there', async () => {
    const checkpoint = await openBytes(fixture(name));
    for (const unknown of ['nothing', '', '__proto__', 'toString']) {
      const error = await refusal(checkpoint.read(unknown));
      expect(error.code).toBe('UNKNOWN_TENSOR');
      expect(error.message).toContain(JSON.stringify(unknown));
    }
    for (const [start, end] of [
      [0, 193],
      [-1, 4],
      [8, 4],
      [0.5, 1],
      [0, Number.NaN],
    ] as const) {
      expect(await refusal(checkpoint.read('base', { start, end }))).toMatchObject({ code: 'BAD_RANGE' });
    }
  });

  it('stops when aborted, with the reason given', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(openCheckpoint(bytesSource(fixture(name)), { signal })).rejects.toThrow('enough');
    const checkpoint = await openBytes(fixture(name));
    await expect(checkpoint.read('base', undefined, signal)).rejects.toThrow('enough');
    await expect(checkpoint.read('transposed', undefined, signal)).rejects.toThrow('enough');
  });

  it('says how far opening is', async () => {
    const seen: number[] = [];
    await openCheckpoint(bytesSource(fixture(name)), { onProgress: ({ done, total }) => seen.push(done / total) });
    expect(seen[0]).toBe(0);
    expect(seen.at(-1)).toBe(1);
  });
});
