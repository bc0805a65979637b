import { describe, expect, it } from 'vitest';
import { fixture, openBytes, refusal, TIME_LIMIT } from './support/sources.ts';
import { u64, utf8 } from './support/zip.ts';

function file(header: string, data: number, length: number | bigint = utf8(header).length): Uint8Array {
  return Uint8Array.from([...u64(length), ...utf8(header), ...new Array<number>(data).fill(1)]);
}

const F32 = (start: number, end: number) =>
  `{"dtype":"F32","shape":[${(end - start) / 4}],"data_offsets":[${start},${end}]}`;

describe('.safetensors', () => {
  it('of the official writer is read', async () => {
    const checkpoint = await openBytes(fixture('official.safetensors'));
    expect(checkpoint.metadata).toEqual({ format: 'pt "ü"\t' });
    expect(checkpoint.tensors.get('a.f32')).toEqual({ dtype: 'f32', shape: [2, 2], bytes: 16 });
    expect(checkpoint.tensors.get('scalar')).toEqual({ dtype: 'f32', shape: [], bytes: 4 });
    expect(checkpoint.tensors.get('empty')).toEqual({ dtype: 'f32', shape: [0, 3], bytes: 0 });
    expect(checkpoint.tensors.get('quo"te\\ü\n')?.shape).toEqual([2]);
    expect([...(await checkpoint.read('scalar'))]).toEqual([0, 0, 0, 0x40]);
    expect(await checkpoint.read('empty')).toEqual(new Uint8Array(0));
    const whole = await checkpoint.read('a.f32');
    expect(await checkpoint.read('a.f32', { start: 3, end: 9 })).toEqual(whole.slice(3, 9));
  });

  it.each([
    ['tensors in any order of the text', `{"b":${F32(4, 8)},"a":${F32(0, 4)}}`, 8],
    ['empty tensors between others', `{"a":${F32(0, 4)},"e":${F32(4, 4)},"b":${F32(4, 8)}}`, 8],
    ['spaces after the header', `{"a":${F32(0, 4)}}    `, 4],
    ['spaces and unknown fields', `{ "a" : { "extra":[{}], "dtype":"F32","shape":[1] , "data_offsets":[ 0,4]}}`, 4],
    ['no tensors', '{}', 0],
    ['names as of an object', `{"constructor":${F32(0, 4)},"":${F32(4, 8)}}`, 8],
    [
      'an empty product that would be too large',
      '{"a":{"dtype":"F32","shape":[9007199254740991,9007199254740991,0],"data_offsets":[0,0]}}',
      0,
    ],
  ])('may have %s', async (_what, header, data) => {
    const { format } = await openBytes(file(header, data));
    expect(format).toBe('safetensors');
  });

  const bad: readonly (readonly [string, string, number, string])[] = [
    ['no JSON', '{"a":', 0, 'BAD_HEADER'],
    ['something after the JSON', `{"a":${F32(0, 4)}}x`, 4, 'BAD_HEADER'],
    ['a name twice', `{"a":${F32(0, 4)},"a":${F32(4, 8)}}`, 8, 'BAD_HEADER'],
    ['a name twice, once escaped', `{"a":${F32(0, 4)},"\\u0061":${F32(4, 8)}}`, 8, 'BAD_HEADER'],
    ['a field twice', '{"a":{"dtype":"F32","dtype":"F64","shape":[1],"data_offsets":[0,4]}}', 4, 'BAD_HEADER'],
    ['the name __proto__', `{"__proto__":${F32(0, 4)}}`, 4, 'BAD_HEADER'],
    ['metadata __proto__', '{"__metadata__":{"__proto__":"x"}}', 0, 'BAD_HEADER'],
    ['a lone surrogate in a name', `{"\\ud800":${F32(0, 4)}}`, 4, 'BAD_HEADER'],
    ['a tensor that is no object', '{"a":[1]}', 0, 'BAD_HEADER'],
    ['a tensor without a type', '{"a":{"shape":[1],"data_offsets":[0,4]}}', 4, 'BAD_HEADER'],
    ['a tensor without a shape', '{"a":{"dtype":"F32","data_offsets":[0,4]}}', 4, 'BAD_HEADER'],
    ['a tensor without offsets', '{"a":{"dtype":"F32","shape":[1]}}', 4, 'BAD_HEADER'],
    ['three offsets', '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}', 4, 'BAD_HEADER'],
    ['offsets in reverse', '{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}', 4, 'BAD_HEADER'],
    ['a negative size', '{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}', 4, 'BAD_HEADER'],
    ['minus zero', '{"a":{"dtype":"F32","shape":[-0],"data_offsets":[0,0]}}', 0, 'BAD_HEADER'],
    ['half a size', '{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,6]}}', 6, 'BAD_HEADER'],
    ['NaN', '{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,4]}}', 4, 'BAD_HEADER'],
    ['a size of 1e400', '{"a":{"dtype":"F32","shape":[1e400],"data_offsets":[0,4]}}', 4, 'BAD_HEADER'],
    ['a size beyond 2^53', '{"a":{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,4]}}', 4, 'BAD_HEADER'],
    [
      'an offset beyond 2^53',
      '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551615]}}',
      4,
      'BAD_HEADER',
    ],
    ['a hole', `{"a":${F32(0, 4)},"b":${F32(8, 12)}}`, 12, 'BAD_HEADER'],
    ['a hole at the start', `{"a":${F32(4, 8)}}`, 8, 'BAD_HEADER'],
    ['an overlap', `{"a":${F32(0, 8)},"b":${F32(4, 12)}}`, 12, 'BAD_HEADER'],
    ['two tensors in one place', `{"a":${F32(0, 4)},"b":${F32(0, 4)}}`, 4, 'BAD_HEADER'],
    ['bytes after the last tensor', `{"a":${F32(0, 4)}}`, 5, 'BAD_HEADER'],
    ['nesting without end', `{"a":${'['.repeat(100_000)}`, 0, 'BAD_HEADER'],
    ['deep nesting', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`, 0, 'BAD_HEADER'],
    ['millions of values', `{"a":[${'0,'.repeat(1_100_000)}0]}`, 0, 'BAD_HEADER'],
    ['metadata that is no text', '{"__metadata__":{"n":1}}', 0, 'BAD_HEADER'],
    ['metadata that is no object', '{"__metadata__":"x"}', 0, 'BAD_HEADER'],
    ['a control character in a string', '{"a\n":{}}', 0, 'BAD_HEADER'],
    ['a bad escape', '{"\\x":{}}', 0, 'BAD_HEADER'],
    ['a string without an end', '{"a\\"', 0, 'BAD_HEADER'],
    ['fewer bytes than its shape needs', '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', 4, 'BAD_TENSOR'],
    [
      'a product beyond 2^53',
      '{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}',
      4,
      'BAD_TENSOR',
    ],
    ['fewer data than its tensors', `{"a":${F32(0, 8)}}`, 7, 'TRUNCATED_FILE'],
    ['an unsupported type', '{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}', 8, 'UNSUPPORTED_DTYPE'],
    ['an unknown type', '{"a":{"dtype":"toString","shape":[1],"data_offsets":[0,4]}}', 4, 'UNSUPPORTED_DTYPE'],
  ];

  it.each(bad)('with %s is refused', async (_what, header, data, code) => {
    const bytes = file(header, data);
    const start = performance.now();
    const error = await refusal(openBytes(bytes, 'model.safetensors'));
    expect(performance.now() - start).toBeLessThan(TIME_LIMIT);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/^model\.safetensors: /);
    expect(error.message.length).toBeLessThan(700);
    expect(error.hint).toBeTruthy();
  });

  it.each([
    [2n ** 64n - 1n, 'BAD_HEADER'],
    [2n ** 63n, 'BAD_HEADER'],
    [100_000_001n, 'BAD_HEADER'],
    [100_000_000n, 'TRUNCATED_FILE'],
    [100n, 'TRUNCATED_FILE'],
    [1n, 'BAD_HEADER'],
    [0n, 'BAD_HEADER'],
  ])('with a header said to be of %s bytes is refused', async (length, code) => {
    expect(await refusal(openBytes(file('{}', 0, length)))).toMatchObject({ code });
  });

  it('with a header that is not UTF-8 is refused', async () => {
    const bytes = Uint8Array.from([...u64(4), ...utf8('{"'), 0xff, 0x22]);
    expect(await refusal(openBytes(bytes))).toMatchObject({ code: 'BAD_HEADER' });
  });

  it('names the tensor that cannot be held', async () => {
    const error = await refusal(openBytes(fixture('i64.safetensors')));
    expect(error.code).toBe('UNSUPPORTED_DTYPE');
    expect(error.message).toContain('tensor "w" is of type "I64"');
  });

  it('does not reach an object prototype through its metadata', async () => {
    const { metadata } = await openBytes(file('{"__metadata__":{"constructor":"x","toString":"y"}}', 0));
    expect(Object.keys(metadata)).toEqual(['constructor', 'toString']);
    expect({}.toString()).toBe('[object Object]');
  });
});
