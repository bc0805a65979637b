import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { golden, receptance, receptanceAll } from './support/receptance.ts';

test('help names every command, and each command shows its options and examples', async () => {
  const names = ['generate', 'chat', 'perplexity', 'logits', 'convert', 'export', 'inspect', 'train', 'conform'];
  const [all, none, ...each] = await receptanceAll([['--help'], [], ...names.map((name) => [name, '--help'])]);
  expect(all?.status).toBe(0);
  expect(none).toEqual(all);
  expect(all?.stdout.match(/^ {2}[a-z]+/gm)).toEqual(names.map((name) => `  ${name}`));
  expect(each.map(({ status }) => status)).toEqual(names.map(() => 0));
  each.forEach(({ stdout }, i) => {
    expect(stdout).toContain(`Usage: receptance ${names[i]} `);
    expect(stdout).toMatch(/--json[\s\S]*Examples:\n {2}receptance /);
  });
  const others = await receptanceAll([['-h'], ['help'], ['convert', '-h'], ['help', 'convert']]);
  const same = [all, all, each[names.indexOf('convert')], each[names.indexOf('convert')]];
  expect(others).toEqual(same);
});

test('the version is that of the package', async () => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  expect(manifest).toMatchObject({ version: (await receptance(['--version'])).stdout.trim() });
});

const MODEL = golden('models/rwkv7_l2_c64_state_v97.bf16.safetensors');

test('inspect tells what a checkpoint holds, and what running it takes', async () => {
  const [json, people, wider] = await receptanceAll([
    ['inspect', '--model', MODEL, '--json'],
    ['inspect', '--model', MODEL],
    ['inspect', '--model', MODEL, '--json', '--chunk', '1024'],
  ]);
  expect(json?.status).toBe(0);
  const facts = JSON.parse(json?.stdout ?? '') as { bytes: number; memory: { activationBytes: number } };
  const sizes = { format: 'safetensors', architecture: 'rwkv7', layers: 2, width: 64, vocabularySize: 97 };
  const stateBytes = 2 * 4 * (64 + 64 + 64 * 64);
  expect(facts).toMatchObject({ ...sizes, stateBytes });
  expect(facts).toMatchObject({
    memory: { weightBytes: facts.bytes, stateBytes, chunk: 256, backend: 'wasm' },
    tensors: expect.arrayContaining([{ name: 'emb.weight', dtype: 'bf16', shape: [97, 64] }]),
  });
  const more = JSON.parse(wider?.stdout ?? '') as typeof facts;
  expect(more).toMatchObject({ memory: { stateBytes, weightBytes: facts.bytes } });
  expect(more.memory.activationBytes).toBeGreaterThan(2 * facts.memory.activationBytes);
  expect(people?.stdout).toMatch(/architecture +rwkv7\n[\s\S]*state +33\.8 kB[\s\S]*emb\.weight +bf16 \[97,64\]/);
});

test('inspect shows the graph: by blocks, node by node, for programs', async () => {
  const graph = ['inspect', '--model', MODEL, '--graph'];
  const [blocks, whole, json] = await receptanceAll([graph, [...graph, '--verbose'], [...graph, '--json']]);
  expect(blocks?.stdout).toMatch(
    /\n {2}blocks\.1 +\d+ +[\d.]+ +layerNorm → timeMix7 → add → layerNorm → channelMix7 → add\n/,
  );
  expect(whole?.stdout).toMatch(/^graph rwkv7\.logits\n[\s\S]*# blocks\.1\.att\n[\s\S]*output logits = %\d+\n/);
  const summary = JSON.parse(json?.stdout ?? '') as {
    parameters: number;
    graph: { scope: string; parameters: number; flops: number }[];
  };
  expect(summary.graph.map(({ scope }) => scope)).toEqual(['model', 'blocks.0', 'blocks.1', 'model']);
  for (const { scope, parameters, flops } of summary.graph.slice(1)) {
    // A multiplication and an addition for each weight of a matrix; the vectors and the recurrence beside.
    expect(flops / parameters, scope).toBeGreaterThan(1.5);
    expect(flops / parameters, scope).toBeLessThan(4);
  }
});

test('inspect shows a file of no known model too', async () => {
  const { stdout } = await receptance([
    ...['inspect', '--json', '--model'],
    golden('ops/wkv4_normal_zero_T2_C8.safetensors'),
  ]);
  expect(JSON.parse(stdout)).toMatchObject({ architecture: null, tensors: expect.any(Array) });
});

test.runIf(existsSync('/dev/full'))('a full disk is no surprise', async () => {
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = await receptance(['inspect'], undefined, full);
  closeSync(full);
  expect(stderr).toMatch(/^error \[WRITE_FAILED\]: .*\nhint: /);
  expect(status).toBe(1);
});
