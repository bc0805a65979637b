import { reference } from '@receptance/backend-reference';
import { describe, expect, test } from 'vitest';
import { loadFile } from '../src/node.ts';
import { collect } from './support/collect.ts';
import { goldenModel, goldenTensors, largestDifference } from './support/golden.ts';

const MODELS = [
  { file: 'rwkv7_l2_c128_v97.safetensors', golden: 'rwkv7_l2_c128_v97' },
  { file: 'rwkv4_l3_c64_v97_hf', golden: 'rwkv4_l3_c64_v97_hf' },
  { file: 'rwkv5_l2_c128_v97.safetensors', golden: 'rwkv5_l2_c128_v97' },
  { file: 'rwkv6_l2_c128_v97.safetensors', golden: 'rwkv6_l2_c128_v97' },
  { file: 'rwkv7_l2_c64_state_v97.bf16.safetensors', golden: 'rwkv7_l2_c64_state_v97' },
  { file: 'rwkv7_l4_c128_v97.safetensors', golden: 'rwkv7_l4_c128_v97' },
] as const;

describe.each(MODELS)('$file', ({ file, golden }) => {
  test('logits, state, losses and the greedy continuation are those of the outside implementation', async () => {
    const [model, expected] = [
      await loadFile(goldenModel(file), { backend: reference() }),
      await goldenTensors(golden),
    ];
    const prompt = await expected('prompt');
    const { data, rows, state } = await model.logits(prompt, { state: true });
    expect(rows).toBe(48);
    expect(largestDifference(data, await expected('logits'))).toBeLessThan(1e-12);
    expect(Object.keys(state ?? {})).toHaveLength((model.architecture === 'rwkv4' ? 5 : 3) * model.layers);
    for (const [name, tensor] of Object.entries(state ?? {})) {
      // The matrices are stored in f32.
      const bound = name.endsWith('att_kv') ? 1e-5 : 1e-12;
      expect(largestDifference(tensor.data, await expected(name)), name).toBeLessThan(bound);
    }
    expect(
      largestDifference(await model.nll((await expected('seq200')).slice(0, 40)), (await expected('nll')).slice(0, 39)),
    ).toBeLessThan(1e-12);

    const session = await model.session();
    const { tokens, texts, finish } = await collect(session.generate({ prompt, greedy: true, maxTokens: 16 }));
    expect(tokens).toEqual(await expected('greedy'));
    // Token 0 is among them: it ends a text only where a tokenizer says so.
    expect(finish).toBe('length');
    expect(texts.every((text) => text === '')).toBe(true);
    await model.close();
  });
});

test('a .pth of bf16 weights agrees with what was computed outside on those weights', async () => {
  const model = await loadFile(goldenModel('rwkv7_l2_c128_v97.bf16.pth'), { backend: reference(), chunk: 5 });
  const expected = await goldenTensors('rwkv7_l2_c128_v97');
  const { data } = await model.logits(await expected('prompt'));
  expect(largestDifference(data, await expected('logits_rbf16w'))).toBeLessThan(5e-6);
  await model.close();
});

test('a .gguf brings its tokenizer along', async () => {
  const name = 'rwkv7_l2_c128_tok_v600.f16.gguf';
  const model = await loadFile(goldenModel(name), { backend: reference() });
  const expected = await goldenTensors(name);
  expect(model.tokenizer?.encode('Hello world')).toEqual([540, 498, 109, 101]);
  const session = await model.session();
  const prompt = await expected('prompt');
  const { tokens, text } = await collect(session.generate({ prompt, greedy: true, maxTokens: 16 }));
  expect(tokens).toEqual(await expected('greedy'));
  // The random prompt ends within a character.
  expect(text.length).toBeGreaterThan(10);
  expect(model.tokenizer?.decode([...prompt, ...tokens])).toContain(text);
  await model.close();
});
