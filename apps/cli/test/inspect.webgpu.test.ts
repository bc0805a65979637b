import { expect, test } from 'vitest';
import { golden, receptance } from './support/receptance.ts';

const MODEL = golden('models/rwkv7_l2_c64_state_v97.bf16.safetensors');

test('inspect tells what a token dispatches on a GPU, reading no weights', async () => {
  const words = ['inspect', '--model', MODEL, '--backend', 'webgpu'];
  const json = await receptance([...words, '--json']);
  expect(JSON.parse(json.stdout).memory).toMatchObject({ backend: 'webgpu', dispatches: { token: 22, layer: 8 } });
  const { stdout } = await receptance(words);
  expect(stdout).toContain('dispatches');
  expect(stdout).toContain('22 for a token that is decoded, 8 a layer');
});
