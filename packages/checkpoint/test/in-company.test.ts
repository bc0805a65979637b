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

  it('asks again after a failure', async () => {
    let failures = 1;
    const { source } = watched(() => failures-- > 0);
    const company = inCompany(source);
    await expect(company.read(0, 4)).rejects.toThrow('the line is down');
    expect(await company.read(0, 4)).toEqual(data.slice(0, 4));
  });
});
