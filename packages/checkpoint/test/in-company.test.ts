import { describe, expect, it } from 'vitest';
import { type ByteSource, bytesSource } from '../src/byte-source.ts';
import { inCompany } from '../src/in-company.ts';

const data = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) % 251);

/** A source that says what it was asked for. */
function watched(fails: () => boolean = () => false): { source: ByteSource; asked: [number, number][] } {
  const source = bytesSource(data);
  const asked: [number, number][] = [];
  const read: ByteSource['read'] = async (start, end, ...rest) => {
    asked.push([start, end]);
    if (fails()) throw new Error('the line is down');
    return source.read(start, end, ...rest);
  };
  return { source: { ...source, read }, asked };
}

/** A source that gives its bytes when it is told to. */
function held(): { source: ByteSource; given: (() => void)[]; signals: AbortSignal[] } {
  const given: (() => void)[] = [];
  const signals: AbortSignal[] = [];
  const source: ByteSource = {
    size: data.length,
    name: 'held',
    read: async (start, end, signal) => {
      if (signal instanceof AbortSignal) signals.push(signal);
      await new Promise<void>((resolve) => given.push(resolve));
      return data.slice(start, end);
    },
  };
  return { source, given, signals };
}

describe('reading in company', () => {
  it('gives the bytes that were asked for, whatever was read before', async () => {
    const company = inCompany(bytesSource(data));
    for (let i = 0, start = 0; i < 500; i++) {
      const length = [0, 1, 64, 3000, 16_384, 16_385, 70_000][i % 7] ?? 0;
      start = (start + (i % 3 === 0 ? 90_001 : 10)) % (data.length - length);
      const into = i % 2 === 0 ? new Uint8Array(length) : undefined;
      expect(await company.read(start, start + length, undefined, into)).toEqual(data.slice(start, start + length));
    }
  });

  it('reads neighbours once, also those that are asked for at the same time', async () => {
    const { source, asked } = watched();
    const company = inCompany(source);
    await Promise.all([0, 1, 2, 3].map((i) => company.read(100 + 1000 * i, 1100 + 1000 * i)));
    await company.read(60_000, 61_000);
    expect(asked).toEqual([[100, 100 + 65_536]]);
    await company.read(290_000, 299_999);
    expect(asked[1]).toEqual([290_000, 300_000]);
  });

  it('hands out copies', async () => {
    const company = inCompany(bytesSource(data));
    (await company.read(0, 10)).fill(255);
    expect(await company.read(0, 10)).toEqual(data.slice(0, 10));
  });

  it('refuses what does not lie in the source, and what nobody waits for any more', async () => {
    const { source, asked } = watched();
    const company = inCompany(source);
    await expect(company.read(299_999, 300_001)).rejects.toMatchObject({ code: 'TRUNCATED_FILE' });
    await expect(company.read(5, 4)).rejects.toMatchObject({ code: 'BAD_RANGE' });
    await expect(company.read(0, 4, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    expect(asked).toEqual([]);
  });

  it('tells of a source that gives too few bytes, also where there was memory for them', async () => {
    const short: ByteSource = { size: 100, name: 'short', read: async (start, end) => data.slice(start, end - 1) };
    const error = { code: 'TRUNCATED_FILE', hint: expect.any(String) };
    await expect(inCompany(short).read(90, 100, undefined, new Uint8Array(10))).rejects.toMatchObject(error);
    await expect(inCompany(short).read(90, 100)).rejects.toMatchObject(error);
  });

  it('gives up at once what is aborted, and the bytes when nobody waits for them any more', async () => {
    const { source, given, signals } = held();
    const company = inCompany(source);
    const [one, two] = [new AbortController(), new AbortController()];
    const into = new Uint8Array(4);
    const [first, second] = [company.read(0, 4, one.signal, into), company.read(4, 8, two.signal)];
    one.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    expect(signals[0]?.aborted).toBe(false);
    given[0]?.();
    expect(await second).toEqual(data.slice(4, 8));
    expect(into).toEqual(new Uint8Array(4));

    const [three, four] = [new AbortController(), new AbortController()];
    const both = [company.read(100_000, 100_004, three.signal), company.read(100_004, 100_008, four.signal)];
    three.abort(new Error('enough'));
    four.abort(new Error('enough, too'));
    expect(await Promise.allSettled(both)).toMatchObject([
      { reason: { message: 'enough' } },
      { reason: { message: 'enough, too' } },
    ]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, true]);
    const again = company.read(100_000, 100_004);
    given[2]?.();
    expect(await again).toEqual(data.slice(100_000, 100_004));
  });

  it('asks again after a failure', async () => {
    let failures = 1;
    const { source } = watched(() => failures-- > 0);
    const company = inCompany(source);
    await expect(company.read(0, 4)).rejects.toThrow('the line is down');
    expect(await company.read(0, 4)).toEqual(data.slice(0, 4));
  });
});
