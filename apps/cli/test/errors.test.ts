import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { golden, type Outcome, receptance, receptanceAll } from './support/receptance.ts';

const folder = await mkdtemp(join(tmpdir(), 'receptance-'));
afterAll(() => rm(folder, { recursive: true }));

const MODEL = golden('models/rwkv7_l2_c64_state_v97.bf16.safetensors');
const MODEL4 = golden('models/rwkv4_l3_c64_v97.bf16.pth');
const file = (name: string): string => join(folder, name);

/** A .safetensors of one header and nothing behind it. */
function safetensors(header: string): Uint8Array {
  const bytes = new Uint8Array(8 + header.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(new TextEncoder().encode(header), 8);
  return bytes;
}

beforeAll(async () => {
  const whole = await readFile(MODEL);
  await writeFile(file('truncated.safetensors'), whole.subarray(0, whole.length / 2));
  await writeFile(
    file('garbage.pth'),
    Uint8Array.from({ length: 5000 }, (_, i) => (i * i * 31) % 251),
  );
  await writeFile(file('empty.pth'), '');
  const huge = '{"emb.weight":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}';
  await writeFile(file('huge.safetensors'), safetensors(huge));
  const lying = new Uint8Array(64).fill(255);
  lying[8] = 0x7b;
  await writeFile(file('lying.safetensors'), lying);
  await writeFile(file('other.safetensors'), safetensors('{}'));
  await writeFile(file('object.json'), '{"tokens":[1]}');
  await writeFile(file('broken.json'), '[1,2');
  await writeFile(file('words.json'), '[1,"two"]');
  const pickle = 'cos\nsystem\n(S"echo hostile"\ntR.';
  await writeFile(file('hostile.pth'), `\x80\x02${pickle}`, 'latin1');
});

const OURS = ['generate', '--model', MODEL];

type Wrong = readonly (readonly [string, string, readonly string[]])[];

/** What cannot be carried out: status 1. */
const FAILURES: Wrong = [
  ['FILE_NOT_FOUND', 'a missing file', ['generate', '--model', file('none.pth')]],
  ['TRUNCATED_FILE', 'half a file', ['generate', '--model', file('truncated.safetensors')]],
  ['NOT_A_CHECKPOINT', 'garbage', ['generate', '--model', file('garbage.pth')]],
  ['NOT_A_CHECKPOINT', 'an empty file', ['generate', '--model', file('empty.pth')]],
  ['BAD_TENSOR|BAD_HEADER|TRUNCATED_FILE', 'sizes no memory holds', ['generate', '--model', file('huge.safetensors')]],
  ['BAD_HEADER|TRUNCATED_FILE', 'a header of endless length', ['generate', '--model', file('lying.safetensors')]],
  ['UNKNOWN_MODEL', 'a file of no model', ['generate', '--model', file('other.safetensors')]],
  ['UNSUPPORTED_FORMAT|UNSAFE_PICKLE', 'a pickle that runs commands', ['generate', '--model', file('hostile.pth')]],
  ['TOKEN_OUT_OF_RANGE', 'a token that the model has not', [...OURS, '--tokens', '1,97']],
  ['TOKEN_OUT_OF_RANGE', 'a stop token that it has not', [...OURS, '--tokens', '1', '--stop-tokens', '97']],
  ['BAD_TOKENS', 'no array', [...OURS, '--tokens', `@${file('object.json')}`]],
  ['BAD_TOKENS', 'broken JSON', [...OURS, '--tokens', `@${file('broken.json')}`]],
  ['BAD_TOKENS', 'words in JSON', [...OURS, '--tokens', `@${file('words.json')}`]],
  ['FILE_NOT_FOUND', 'no file of tokens', [...OURS, '--tokens', `@${file('none.json')}`]],
  ['BAD_TOKENS', 'no tokens', ['logits', '--tokens', '', '--out', file('out.safetensors')]],
  ['NO_TOKENIZER', 'text for a model without a tokenizer', [...OURS, '--prompt', 'text']],
  ['FILE_NOT_FOUND', 'no golden folder', ['conform', '--golden', file('none')]],
  ['TOKEN_OUT_OF_RANGE', 'a token below 0', [...OURS, '--tokens', '1,-1']],
  ['TEXT_TOO_SHORT', 'one token to measure', ['perplexity', '--model', MODEL, '--tokens', '1']],
  ['NO_TOKENIZER', 'text to measure without a tokenizer', ['perplexity', '--model', MODEL, '--text', 'text']],
  ['NO_TOKENIZER', 'a chat without a tokenizer', ['chat', '--model', MODEL]],
  ['FILE_NOT_FOUND', 'no text to measure', ['perplexity', '--file', file('none.txt')]],
  ['BAD_TEXT', 'no text in it', ['perplexity', '--file', file('garbage.pth')]],
  ['FILE_EXISTS', 'a file that is there', ['convert', '--out', file('other.safetensors')]],
  ['UNSUPPORTED_FORMAT', 'a .gguf of version 4', ['convert', '--model', MODEL4, '--out', file('out.gguf')]],
  ['FILE_EXISTS', 'a folder that is there', ['export', '--out', file('.')]],
  ['WRITE_FAILED', 'no folder for a folder', ['export', '--out', file('none/out')]],
  ['UNSUPPORTED_OPSET', 'an opset that is not written', ['export', '--out', file('out'), '--opset', '17']],
  [
    'UNSUPPORTED_OPSET',
    'blocks in an opset without them',
    ['export', '--out', file('out'), '--quant', 'q8_0', '--opset-only', '--opset', '20'],
  ],
  ['WRITE_FAILED', 'no folder to write to', ['convert', '--out', file('none/out.safetensors')]],
  ['UNKNOWN_MODEL', 'the graph of no model', ['inspect', '--graph', '--model', file('other.safetensors')]],
];

/** What cannot be understood: status 2. */
const MISUSES: Wrong = [
  ['BAD_TOKENS', 'words for tokens', [...OURS, '--tokens', '1,two']],
  ['BAD_OPTION', 'nothing to continue', OURS],
  ['BAD_OPTION', 'a negative number of tokens', ['generate', '--max-tokens', '-1']],
  ['BAD_OPTION', 'a number that is none', ['generate', '--max-tokens', 'many']],
  ['BAD_OPTION', 'a negative temperature', ['generate', '--temperature', '-0.5']],
  ['BAD_OPTION', 'an empty number', ['generate', '--top-p=']],
  ['BAD_SAMPLING', 'a probability above 1', ['generate', '--top-p', '1.5']],
  ['BAD_OPTION', 'a seed that is not whole', ['generate', '--seed', '1.5']],
  ['BAD_OPTION', 'greedy with a seed', ['generate', '--greedy', '--seed', '1']],
  ['BAD_OPTION', 'both kinds of prompt', ['generate', '--prompt', 'a', '--tokens', '1']],
  ['BAD_OPTION', 'a misspelt option', ['generate', '--promt', 'a']],
  ['BAD_OPTION', 'an option without its value', ['generate', '--prompt']],
  ['BAD_OPTION', 'an option given twice', ['generate', '--seed', '1', '--seed', '2']],
  ['BAD_OPTION', 'an option where a value should be', ['generate', '--prompt', '--greedy', '--max-tokens', '8']],
  ['BAD_OPTION', 'a system text without turns', ['chat', '--system', 'Be brief.']],
  ['BAD_OPTION', 'a word too many', ['generate', 'Once']],
  ['BAD_OPTION', 'no place to write to', ['logits', '--tokens', '1']],
  ['UNKNOWN_COMMAND', 'an unknown command', ['sing']],
  ['UNKNOWN_COMMAND', 'help for an unknown command', ['help', 'sing']],
  ['BAD_OPTION', 'an empty stop string', ['generate', '--stop', '']],
  ['UNKNOWN_BACKEND', 'an unknown backend', ['generate', '--backend', 'abacus']],
  ['UNKNOWN_BACKEND', 'an unknown backend', ['conform', '--backend', '__proto__']],
  ['BAD_OPTION', 'nothing to measure', ['perplexity']],
  ['BAD_OPTION', 'two texts to measure', ['perplexity', '--text', 'a', '--tokens', '1,2']],
  ['BAD_OPTION', 'weights of an unknown type', ['generate', '--weights', 'q3']],
  ['BAD_OPTION', 'a chunk beyond bounds', ['generate', '--chunk', '100000']],
  ['BAD_OPTION', 'no place to export to', ['export']],
  ['BAD_OPTION', 'blocks that are not written', ['export', '--out', file('out'), '--quant', 'q5_0']],
  ['BAD_OPTION', 'no place to convert to', ['convert']],
  ['BAD_OPTION', 'a format that is not written', ['convert', '--out', file('out.pth')]],
  ['BAD_OPTION', 'blocks in a .safetensors', ['convert', '--out', file('out.safetensors'), '--dtype', 'q8_0']],
  ['BAD_OPTION', 'bf16 in a .gguf', ['convert', '--out', file('out.gguf'), '--dtype', 'bf16']],
  ['BAD_OPTION', 'a chat both plain and with turns', ['chat', '--plain', '--system', 'Be brief.']],
];

describe.each([
  [1, 'what cannot be done', FAILURES],
  [2, 'what cannot be understood', MISUSES],
])('status %i and two lines for %s', (expected, _, wrong) => {
  let outcomes: readonly Outcome[] = [];
  beforeAll(async () => {
    outcomes = await receptanceAll(wrong.map(([, , args]) => args));
  }, 120_000);

  test.each(wrong.map(([code, what], i) => [code, what, i] as const))('%s: %s', (code, _, i) => {
    expect(outcomes[i]?.stderr).toMatch(new RegExp(`^error \\[(${code})\\]: .+\\nhint: .+\\n$`));
    expect(outcomes[i]?.stdout).toBe('');
    expect(outcomes[i]?.status).toBe(expected);
  });
});

test('nothing is left of what could not be written', async () => {
  expect((await readdir(folder)).filter((name) => /^out|partial/.test(name))).toEqual([]);
});

test('--json gives the error as an object too', async () => {
  const { status, stdout } = await receptance(['generate', '--backend', 'abacus', '--json']);
  expect(status).toBe(2);
  expect(JSON.parse(stdout)).toEqual({
    error: { code: 'UNKNOWN_BACKEND', message: expect.any(String), hint: expect.stringContaining('reference') },
  });
});

test('a misspelt option or command is corrected', async () => {
  const [option, command] = await receptanceAll([['generate', '--promt', 'a'], ['generat']]);
  expect(option?.stderr).toContain('did you mean --prompt?');
  expect(command?.stderr).toContain('did you mean generate?');
});
