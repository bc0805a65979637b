import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { golden, receptance } from './support/receptance.ts';

test('help names every command, and each command shows its options and examples', async () => {
  const { status, stdout } = await receptance(['--help']);
  expect(status).toBe(0);
  for (const command of ['generate', 'logits', 'conform', 'inspect']) {
    expect(stdout).toContain(`  ${command}`);
    const help = await receptance([command, '--help']);
    expect(help.status).toBe(0);
    expect(help.stdout).toMatch(/Usage: receptance .*\n[\s\S]*--json[\s\S]*Examples:\n {2}receptance /);
  }
  expect((await receptance([])).stdout).toBe(stdout);
});

test('the version is that of the package', async () => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  expect(manifest).toMatchObject({ version: (await receptance(['--version'])).stdout.trim() });
});

test('inspect tells what a checkpoint holds', async () => {
  const model = golden('models/rwkv7_l2_c64_state_v97.bf16.safetensors');
  const { status, stdout } = await receptance(['inspect', '--model', model, '--json']);
  expect(status).toBe(0);
  const facts: unknown = JSON.parse(stdout);
  const sizes = { format: 'safetensors', architecture: 'rwkv7', layers: 2, width: 64, vocabularySize: 97 };
  expect(facts).toMatchObject({ ...sizes, stateBytes: 2 * 4 * (64 + 64 + 64 * 64) });
  expect(facts).toMatchObject({
    tensors: expect.arrayContaining([{ name: 'emb.weight', dtype: 'bf16', shape: [97, 64] }]),
  });
  expect((await receptance(['inspect', '--model', model])).stdout).toMatch(
    /architecture +rwkv7\n[\s\S]*emb\.weight +bf16 \[97,64\]/,
  );
});

test('inspect shows a file of no known model too', async () => {
  const { stdout } = await receptance([
    'inspect',
    '--model',
    golden('ops/wkv4_normal_zero_T2_C8.safetensors'),
    '--json',
  ]);
  expect(JSON.parse(stdout)).toMatchObject({ architecture: null, tensors: expect.any(Array) });
});
