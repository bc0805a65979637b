import { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openCheckpointFile } from '@receptance/checkpoint/node';
import { convertTensors, quantizedSource, type WeightSource, widen } from '@receptance/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { golden, type Outcome, receptanceAll, start } from './support/receptance.ts';

const folder = await mkdtemp(join(tmpdir(), 'receptance-'));
afterAll(() => rm(folder, { recursive: true }));

type As = (source: WeightSource) => WeightSource;
const same: As = (source) => source;
const as =
  (dtype: 'f32' | 'f16' | 'bf16'): As =>
  (source) =>
    convertTensors(source, { dtype });

/** A model, what it becomes, and what its numbers must then be. */
const CONVERSIONS: readonly (readonly [string, string, readonly string[], As])[] = [
  ['rwkv4_l3_c64_v97.pth', 'safetensors', [], same],
  ['rwkv50_l2_c128_v97.pth', 'safetensors', [], same],
  ['rwkv5_l2_c128_v97.bf16.pth', 'safetensors', [], same],
  ['rwkv6_l2_c128_v97.bf16.pth', 'safetensors', ['--dtype', 'f32'], as('f32')],
  ['rwkv7_l2_c128_v97.pth', 'safetensors', ['--dtype', 'f16'], as('f16')],
  ['rwkv7_l2_c64_state_v97.bf16.safetensors', 'safetensors', ['--dtype', 'bf16'], as('bf16')],
  ['rwkv4_l3_c64_v97_hf', 'safetensors', [], same],
  ['rwkv6_l4_c128_resc2_v97.f16.gguf', 'safetensors', [], same],
  ['rwkv7_l2_c128_v97.q4_0.gguf', 'safetensors', [], as('f32')],
  ['rwkv6_l2_c128_v97.safetensors', 'gguf', [], same],
  ['rwkv7_l2_c128_v97.safetensors', 'gguf', ['--dtype', 'f32'], same],
  ['rwkv7_l2_c128_v97.safetensors', 'gguf', ['--dtype', 'q8_0'], (source) => quantizedSource(source, 'q8_0')],
  ['rwkv7_l2_c128_v97.pth', 'gguf', ['--dtype', 'q4_0'], (source) => quantizedSource(source, 'q4_0')],
  ['rwkv7_l2_c128_tok_v600.f16.gguf', 'gguf', ['--dtype', 'f16'], same],
];

/** Of version 7: the first block has no use for them, and a .gguf no place. */
const UNUSED = ['v0', 'v1', 'v2'].map((name) => `blocks.0.att.${name}`);

/** All tensors, as numbers. */
async function numbersOf(source: WeightSource): Promise<Map<string, Float64Array>> {
  const tensors = new Map<string, Float64Array>();
  for (const [name, { dtype, shape }] of source.tensors) {
    const numbers = new Float64Array(shape.reduce((product, size) => product * size, 1));
    widen(dtype, await source.read(name), numbers);
    tensors.set(name, numbers);
  }
  return tensors;
}

let outcomes: readonly Outcome[] = [];
const outOf = (i: number, format: string): string => join(folder, `${i}.${format}`);
beforeAll(async () => {
  outcomes = await receptanceAll(
    CONVERSIONS.map(([model, format, args], i) => [
      ...['convert', '--model', golden(`models/${model}`), '--out', outOf(i, format), '--json'],
      ...args,
    ]),
  );
});

test.each(CONVERSIONS.map((conversion, i) => [...conversion, i] as const))(
  '%s as %s %j opens again, with the same numbers',
  async (model, format, _, change, i) => {
    expect(outcomes[i]).toMatchObject({ status: 0, stderr: '' });
    const [before, after] = [
      await openCheckpointFile(golden(`models/${model}`)),
      await openCheckpointFile(outOf(i, format)),
    ];
    expect(after.format).toBe(format);
    expect(after.vocabulary).toEqual(before.vocabulary);
    const [expected, got] = [await numbersOf(change(before)), await numbersOf(after)];
    if (format === 'gguf') for (const name of UNUSED) expected.delete(name);
    expect(new Set(got.keys())).toEqual(new Set(expected.keys()));
    for (const [name, numbers] of expected) expect(got.get(name), name).toEqual(numbers);
    await Promise.all([before.close(), after.close()]);
  },
);

test('types stay where none is asked for', async () => {
  const [before, after] = [
    await openCheckpointFile(golden('models/rwkv5_l2_c128_v97.bf16.pth')),
    await openCheckpointFile(outOf(2, 'safetensors')),
  ];
  for (const [name, { dtype, shape }] of before.tensors)
    expect(after.tensors.get(name)).toMatchObject({ dtype, shape });
  await Promise.all([before.close(), after.close()]);
});

test('a file that is there is replaced only with --force', async () => {
  const out = join(folder, 'there.safetensors');
  await writeFile(out, 'precious');
  const convert = ['convert', '--out', out];
  const [refused, forced] = await receptanceAll([convert, [...convert, '--force']]);
  expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('--force') });
  expect(forced).toMatchObject({ status: 0, stderr: expect.stringMatching(/there\.safetensors: .* MB\n$/) });
  const written = await openCheckpointFile(out);
  expect(written.tensors.has('emb.weight')).toBe(true);
  await written.close();
});

test.each([
  ['Ctrl-C', 'SIGINT', 1, 130],
  ['Ctrl-C twice', 'SIGINT', 2, 130],
  ['SIGTERM', 'SIGTERM', 1, 143],
] as const)('%s leaves nothing behind', async (what, signal, times, expected) => {
  const place = join(folder, what);
  await mkdir(place);
  // Nothing but zeros, and too much of them to be through with at once.
  const [model, shape] = [join(place, 'large.safetensors'), [65536, 2048]];
  const bytes = 4 * 65536 * 2048;
  const header = JSON.stringify({ w: { dtype: 'F32', shape, data_offsets: [0, bytes] } }).padEnd(88);
  const head = new Uint8Array(8 + header.length);
  new DataView(head.buffer).setBigUint64(0, BigInt(header.length), true);
  head.set(new TextEncoder().encode(header), 8);
  await writeFile(model, head);
  await truncate(model, head.length + bytes);
  const args = ['convert', '--model', model, '--out', join(place, 'out.safetensors'), '--dtype', 'f16'];
  const { running, ended } = start(args);
  while (!(await readdir(place)).some((name) => name.endsWith('.partial'))) await sleep(10);
  for (let i = 0; i < times; i++) running.kill(signal);
  const { status } = await ended;
  expect(status).toBe(expected);
  expect(await readdir(place)).toEqual([basename(model)]);
});

test('a vocabulary goes into a .gguf, and only there', async () => {
  const [vocabulary, model, out] = ['vocabulary.txt', 'small', 'with-vocabulary.gguf'].map((name) =>
    join(folder, name),
  );
  const bytes = Array.from({ length: 256 }, (_, byte) => `${byte + 1} b'\\x${byte.toString(16).padStart(2, '0')}' 1\n`);
  await writeFile(vocabulary ?? '', `${bytes.join('')}257 ' sat' 4\n`);
  await writeFile(join(folder, 'data.txt'), 'The cat sat on the mat. The dog sat on the log.\n'.repeat(9));
  const size = ['--vocabulary-size', '258', '--layers', '1', '--width', '32', '--head-size', '32', '--batch', '1'];
  const options = [
    '--optimiser',
    'muon',
    '--schedule',
    'wsd',
    '--decay',
    '1',
    '--length',
    '16',
    '--steps',
    '3',
    '--seed',
    '1',
  ];
  const given = ['--tokenizer', vocabulary ?? ''];
  const [trained] = await receptanceAll([
    ['train', '--data', join(folder, 'data.txt'), '--out', model ?? '', ...given, ...size, ...options],
  ]);
  expect(trained?.status, trained?.stderr).toBe(0);
  const weights = ['--model', join(model ?? '', 'model.safetensors')];
  const [made, misplaced] = await receptanceAll([
    ['convert', ...weights, '--out', out ?? '', ...given],
    ['convert', ...weights, '--out', join(folder, 'with.safetensors'), ...given],
  ]);
  expect(made?.status, made?.stderr).toBe(0);
  expect(misplaced?.stderr).toMatch(/--tokenizer is for a .gguf/);
  const text = ['--text', 'The cat sat', '--json'];
  const [whole, parts, ids] = await receptanceAll([
    ['perplexity', '--model', out ?? '', ...text],
    ['perplexity', ...weights, ...given, ...text],
    [
      'perplexity',
      ...weights,
      '--tokens',
      [...'The cat']
        .map((c) => c.charCodeAt(0) + 1)
        .concat(257)
        .join(),
      '--json',
    ],
  ]);
  const { nll } = JSON.parse(whole?.stdout ?? '') as { nll: number };
  for (const other of [parts, ids]) expect(JSON.parse(other?.stdout ?? '')).toMatchObject({ nll, tokens: 8 });
});
