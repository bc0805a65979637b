import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { StreamingDecoder, worldTokenizer, worldTokenizerFromTokens, worldTokens } from '../src/index.ts';

const models = new URL('../../conformance/golden/models/', import.meta.url);
const file = readFileSync(new URL('rwkv7_l2_c128_tok_v600.f16.gguf', models));
const golden: { strings: { base64: string; text?: string | null; ids: number[] }[] } = JSON.parse(
  readFileSync(new URL('rwkv7_l2_c128_tok_v600.tokens.json', models), 'utf8'),
);

/** An array of the metadata: after its name its kind, that of its items, how many there are, and the items. */
function metadata(name: string): { at: number; count: number } {
  const at = file.indexOf(name) + name.length;
  expect(file.readUInt32LE(at)).toBe(9);
  return { at: at + 16, count: Number(file.readBigUInt64LE(at + 8)) };
}

function strings(name: string): string[] {
  let { at, count } = metadata(name);
  return Array.from({ length: count }, () => {
    const start = at + 8;
    at = start + Number(file.readBigUInt64LE(at));
    return file.toString('utf8', start, at);
  });
}

function integers(name: string): number[] {
  const { at, count } = metadata(name);
  return Array.from({ length: count }, (_, i) => file.readInt32LE(at + 4 * i));
}

const tokens = strings('tokenizer.ggml.tokens');
const types = integers('tokenizer.ggml.token_type');
/** As every GGUF file of a World model begins. */
const start = tokens.slice(0, 257);

describe('worldTokenizerFromTokens', () => {
  const tokenizer = worldTokenizerFromTokens(tokens, { types });

  it('has the tokens of the file', () => {
    expect(golden.strings).toHaveLength(30);
    expect(tokenizer.vocabularySize).toBe(600);
    expect(tokenizer.endOfText).toBe(0);
    for (let byte = 0; byte < 256; byte++) expect(tokenizer.bytes(byte + 1)).toEqual(Uint8Array.of(byte));
    for (const id of [0, 596, 599]) expect(tokenizer.bytes(id)).toHaveLength(0);
  });

  it.each(golden.strings)('encodes $base64 as llama.cpp does', ({ base64, text, ids }) => {
    const bytes = new Uint8Array(Buffer.from(base64, 'base64'));
    for (const same of [tokenizer, worldTokenizerFromTokens(tokens)]) {
      expect(same.encode(bytes)).toEqual(ids);
      if (typeof text === 'string') expect(same.encode(text)).toEqual(ids);
    }
    const whole = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
    expect(tokenizer.decode(ids)).toBe(whole);
    const decoder = new StreamingDecoder(tokenizer);
    expect(ids.map((id) => decoder.push(id)).join('') + decoder.flush()).toBe(whole);
  });

  it('never makes control tokens of text', () => {
    for (const same of [tokenizer, worldTokenizerFromTokens(tokens)]) {
      const ids = same.encode('<s>[PAD596]');
      expect(ids).not.toContain(0);
      expect(ids).not.toContain(596);
      expect(same.decode(ids)).toBe('<s>[PAD596]');
    }
  });

  it.each([
    [String.raw`\t\n\r\\\x00\xFF\xfe`, [9, 10, 13, 92, 0, 255, 254]],
    [String.raw`it\'s "q"`, [...Buffer.from(`it's "q"`)]],
    [String.raw`\q\\x41`, [...Buffer.from('q\\x41')]],
    ['é字🚀', [...Buffer.from('é字🚀')]],
    [String.raw`é\x80🚀\é`, [...Buffer.from('é'), 0x80, ...Buffer.from('🚀é')]],
  ])('reads the token %s', (token, bytes) => {
    expect([...worldTokenizerFromTokens([...start, token]).bytes(257)]).toEqual(bytes);
  });

  it.each([
    ['\\', /token 257 ends in a backslash/],
    [String.raw`a\x4`, /token 257 has an escape \\x without/],
    [String.raw`\xgg`, /token 257 has an escape \\x without/],
    ['', /token 257: token 257 has 0 bytes/],
    [String.raw`\x41`, /token 257 is the same bytes as token 66|token 66 is the same bytes as token 257/],
  ])('refuses the token %j', (token, message) => {
    const make = () => worldTokenizerFromTokens([...start, token]);
    expect(make).toThrow(message);
    expect(make).toThrow(expect.objectContaining({ code: 'BAD_VOCABULARY', hint: expect.any(String) }));
  });

  it('takes another end of text', () => {
    const bytes = start.slice(1);
    const own = worldTokenizerFromTokens([...bytes, 'end'], { endOfText: 256 });
    expect(own.endOfText).toBe(256);
    expect(own.encode('\0end')).toEqual([0, 0x65, 0x6e, 0x64]);
    expect(worldTokenizerFromTokens(bytes, { types: bytes.map(() => 1) }).encode('\0a')).toEqual([0, 0x61]);
  });

  it('refuses types that do not fit, and an end of text that is no token', () => {
    expect(() => worldTokenizerFromTokens(tokens, { types: [1, 2] })).toThrow(/2 token types are given for 600/);
    expect(() => worldTokenizerFromTokens(tokens, { endOfText: 600 })).toThrow(
      expect.objectContaining({ code: 'TOKEN_OUT_OF_RANGE' }),
    );
    expect(() => worldTokenizerFromTokens([])).toThrow(/cannot have 0 tokens/);
    expect(() => worldTokenizerFromTokens(['<s>', 'a'])).toThrow(/255 of the 256 bytes/);
  });
});

describe('worldTokens', () => {
  it('says of a tokenizer what makes the same tokenizer again', () => {
    const tokenizer = worldTokenizerFromTokens(tokens, { types });
    const section = worldTokens(tokenizer);
    expect(section).toMatchObject({ model: 'rwkv', endOfText: 0 });
    expect(section.types).toEqual(types);
    const again = worldTokenizerFromTokens(section.tokens, section);
    for (let id = 0; id < tokens.length; id++) expect(again.bytes(id)).toEqual(tokenizer.bytes(id));
  });

  it('keeps an end of text that is another than token 0', () => {
    const own = [...start, '<|end|>'];
    const ownTypes = own.map((_, id) => (id === 0 || id === 257 ? 3 : 1));
    const tokenizer = worldTokenizerFromTokens(own, { types: ownTypes, endOfText: 257 });
    const section = worldTokens(tokenizer, 259);
    expect(section.endOfText).toBe(257);
    expect([0, 257, 258].map((id) => section.types[id])).toEqual([5, 3, 5]);
    const again = worldTokenizerFromTokens(section.tokens, section);
    expect(again.endOfText).toBe(257);
    expect(again.encode('<s>[PAD0]')).toEqual(tokenizer.encode('<s>[PAD0]'));
    const refused = expect.objectContaining({ code: 'BAD_VOCABULARY', hint: expect.any(String) });
    expect(() => worldTokens(tokenizer, 257)).toThrow(refused);
    expect(() => worldTokens({ ...tokenizer, endOfText: undefined })).toThrow(refused);
  });

  it('pads to the size of the model, and refuses a model that is too small', () => {
    const bytes = Array.from({ length: 256 }, (_, byte) => [byte + 1, Uint8Array.of(byte)] as const);
    const tokenizer = worldTokenizer([...bytes, [257, "\\é'\n"]]);
    const { tokens, types } = worldTokens(tokenizer, 259);
    expect(tokens.slice(255)).toEqual(['\\xfe', '\\xff', "\\\\\\xc3\\xa9'\\n", '[PAD258]']);
    expect(types.slice(255)).toEqual([1, 1, 1, 5]);
    expect([tokens[0], types[0]]).toEqual(['<s>', 3]);
    expect(worldTokenizerFromTokens(tokens, { types }).encode("\\é'\n")).toEqual([257]);
    expect(() => worldTokens(tokenizer, 257)).toThrow(expect.objectContaining({ code: 'BAD_VOCABULARY' }));
  });
});
