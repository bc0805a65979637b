import { describe, expect, it } from 'vitest';
import { dict, pickle, string, tensor } from './support/pickle.ts';
import { openBytes, refusal } from './support/sources.ts';
import { pth, utf8, zip } from './support/zip.ts';

const weights = pickle(dict([string('w'), tensor({ length: 2, shape: [2], strides: [1] })]));
const storage = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const storages = { 0: storage };
const order = (text: string) => ({ extra: [{ name: 'm/byteorder', data: Uint8Array.from(utf8(text)) }] });

describe('the zip archive of a .pth', () => {
  it.each([
    ['without ZIP64 records', pth(weights, storages)],
    ['with every number in ZIP64 fields', pth(weights, storages, { zip64: true })],
    ['with a comment', pth(weights, storages, { comment: 'PK\x05\x06 and more' })],
    ['without alignment', pth(weights, storages, { aligned: false })],
    ['with a byte order', pth(weights, storages, order('little'))],
    [
      'with entries in another order',
      zip([
        { name: 'data/0', data: storage },
        { name: 'data.pkl', data: weights },
      ]),
    ],
    [
      'with sizes after the data',
      zip([
        { name: 'm/data.pkl', data: weights },
        { name: 'm/data/0', data: storage, flags: 0x0808 },
      ]),
    ],
    [
      'with a compressed entry that is not needed',
      pth(weights, storages, { extra: [{ name: 'x', data: storage, method: 8 }] }),
    ],
  ])('may be %s', async (_what, bytes) => {
    const checkpoint = await openBytes(bytes);
    expect(await checkpoint.read('w')).toEqual(storage);
  });

  const pkl = { name: 'm/data.pkl', data: weights };
  it.each<[string, Uint8Array, string]>([
    ['of big-endian byte order', pth(weights, storages, order('big')), 'UNSUPPORTED_FORMAT'],
    ['of another byte order', pth(weights, storages, order('middle')), 'UNSUPPORTED_FORMAT'],
    ['compressed', zip([pkl, { name: 'm/data/0', data: storage, method: 8 }]), 'UNSUPPORTED_FORMAT'],
    ['encrypted', zip([pkl, { name: 'm/data/0', data: storage, flags: 1 }]), 'UNSUPPORTED_FORMAT'],
    ['with a name twice', zip([pkl, pkl, { name: 'm/data/0', data: storage }]), 'BAD_HEADER'],
    ['with two pickles', zip([pkl, { ...pkl, name: 'data.pkl' }]), 'NOT_A_CHECKPOINT'],
    ['with a longer entry than there is', zip([pkl, { name: 'm/data/0', data: storage, size: 2 ** 31 }]), 'BAD_HEADER'],
    [
      'with an entry that lies in another',
      zip([pkl, { name: 'm/data/0', data: storage, headerStart: 8 }]),
      'BAD_HEADER',
    ],
    [
      'with an entry that lies beyond the end',
      zip([pkl, { name: 'm/data/0', data: storage, headerStart: 2 ** 31 }]),
      'BAD_HEADER',
    ],
    [
      'with another name in the local header',
      zip([pkl, { name: 'm/data/0', data: storage, localName: 'm/data/1' }]),
      'BAD_HEADER',
    ],
    [
      'with a longer name in the local header',
      zip([pkl, { name: 'm/data/0', data: storage, localName: 'm/data/00' }]),
      'BAD_HEADER',
    ],
    ['with something before it', Uint8Array.from([...utf8('PK\x03\x04'), ...pth(weights, storages)]), 'BAD_HEADER'],
    ['with something after it', Uint8Array.from([...pth(weights, storages), 0]), 'TRUNCATED_FILE'],
    ['with an enormous pickle', pth(new Uint8Array(2 ** 23 + 1), {}, { aligned: false }), 'BAD_HEADER'],
  ])('is refused %s', async (_what, bytes, code) => {
    const error = await refusal(openBytes(bytes));
    expect(error.code).toBe(code);
    expect(error.hint).toBeTruthy();
  });

  it.each([
    ['count', 8, 2],
    ['total count', 10, 2],
    ['length', 12, 4],
    ['start', 16, 4],
    ['disk', 4, 2],
  ])('is refused when the %s at its end is wrong', async (_what, field, width) => {
    for (const value of [1, 0x7f, 0xfe]) {
      const bytes = pth(weights, storages);
      bytes.fill(value, bytes.length - 22 + field, bytes.length - 22 + field + width);
      expect(await refusal(openBytes(bytes))).toMatchObject({ code: 'BAD_HEADER' });
    }
  });

  it('is refused when its ZIP64 record is wrong', async () => {
    const good = pth(weights, storages, { zip64: true });
    const record = good.length - 22 - 20 - 56;
    for (const field of [0, 4, 16, 20, 24, 32, 40, 48, 56, 60, 64, 72]) {
      for (const value of [1, 0x7f, 0xff]) {
        const bytes = good.slice();
        bytes.fill(value, record + field, record + field + 4);
        expect((await refusal(openBytes(bytes))).code, `${field}`).toMatch(/BAD_HEADER|UNSUPPORTED_FORMAT/);
      }
    }
  });
});
