import { reference } from '@receptance/backend-reference';
import { wasm } from '@receptance/backend-wasm';
import type { HostArray } from '@receptance/core';
import { describe, expect, test } from 'vitest';
import type { Trace } from '../src/index.ts';
import { loadFile } from '../src/node.ts';
import { goldenModel, goldenTensors, largestDifference } from './support/golden.ts';

const MODELS = [
  'rwkv4_l3_c64_v97.safetensors',
  'rwkv5_l2_c128_v97.safetensors',
  'rwkv6_l2_c128_v97.safetensors',
  'rwkv7_l2_c64_state_v97.bf16.safetensors',
  'rwkv7_l4_c128_v97.safetensors',
] as const;

describe.each(MODELS)('%s', (file) => {
  test('what is traced makes the state that the outside implementation ends with, in every layer', async () => {
    const expected = await goldenTensors(file.replace(/(\.bf16)?\.safetensors/, ''));
    const model = await loadFile(goldenModel(file), { backend: reference() });
    for (let layer = 0; layer < model.layers; layer++) {
      const trace = await model.trace(await expected('prompt'), { layer });
      expect(trace.tokens).toHaveLength(48);
      const name = trace.op === 'wkv4' ? 'att_aa' : 'att_kv';
      const wanted = await expected(`state.${layer}.${name}`);
      expect(largestDifference(finalState(trace), wanted)).toBeLessThan(1e-5);
    }
    await model.close();
  });

  test('WASM traces the same', async () => {
    const prompt = await (await goldenTensors(file.replace(/(\.bf16)?\.safetensors/, '')))('prompt');
    const [exact, fast] = await Promise.all(
      [reference(), wasm()].map(async (backend) => {
        const model = await loadFile(goldenModel(file), { backend });
        const trace = await model.trace(prompt, { layer: 1 });
        await model.close();
        return trace;
      }),
    );
    for (const [name, { shape, data }] of Object.entries(exact?.inputs ?? {})) {
      expect(fast?.inputs[name]?.shape, name).toEqual(shape);
      const largest = Math.max(1, ...Array.from(data, Math.abs));
      expect(largestDifference(fast?.inputs[name]?.data ?? [], data) / largest, name).toBeLessThan(1e-4);
    }
  });
});

test('a layer that is not there, no text and too much of it are refused', async () => {
  const model = await loadFile(goldenModel(MODELS[0]), { backend: reference() });
  await expect(model.trace([1, 2], { layer: 3 })).rejects.toMatchObject({ code: 'BAD_OPTION' });
  await expect(model.trace([1, 2], { layer: 0.5 })).rejects.toMatchObject({ code: 'BAD_OPTION' });
  await expect(model.trace([], { layer: 0 })).rejects.toMatchObject({ code: 'EMPTY_TEXT' });
  await expect(model.trace(new Array(5000).fill(1), { layer: 0 })).rejects.toMatchObject({ code: 'BAD_OPTION' });
  await expect(model.trace('text', { layer: 0 })).rejects.toMatchObject({ code: 'NO_TOKENIZER' });
  await model.close();
});

/** The memory after the last token, by the formulas of the ops. */
function finalState({ op, inputs, tokens }: Trace): Float64Array {
  const data = (name: string): HostArray => inputs[name]?.data ?? new Float64Array(0);
  if (op === 'wkv4') return finalNumerator(data, tokens.length);
  const [, heads = 0, size = 0] = inputs['k']?.shape ?? [];
  const s = Float64Array.from(data('s0'));
  const isPerToken = inputs['lw']?.shape.length === 3;
  for (let t = 0; t < tokens.length; t++) {
    for (let head = 0; head < heads; head++) {
      const at = (name: string, i: number): number => data(name)[(t * heads + head) * size + i] ?? 0;
      const decay = (i: number): number => Math.exp(data('lw')[((isPerToken ? t * heads : 0) + head) * size + i] ?? 0);
      for (let row = 0; row < size; row++) {
        const from = (head * size + row) * size;
        let removed = 0;
        if (op === 'wkv7') for (let i = 0; i < size; i++) removed += (s[from + i] ?? 0) * at('a', i);
        for (let i = 0; i < size; i++) {
          const kept = (s[from + i] ?? 0) * decay(op === 'wkv7' ? i : row);
          const added = op === 'wkv7' ? removed * at('b', i) + at('v', row) * at('k', i) : at('k', row) * at('v', i);
          s[from + i] = kept + added;
        }
      }
    }
  }
  return s;
}

function finalNumerator(data: (name: string) => HostArray, length: number): Float64Array {
  const width = data('w').length;
  return Float64Array.from({ length: width }, (_, c) => {
    let [aa, pp] = [0, -1e30];
    for (let t = 0; t < length; t++) {
      const [k, w] = [data('k')[t * width + c] ?? 0, data('w')[c] ?? 0];
      const q = Math.max(pp + w, k);
      aa = Math.exp(pp + w - q) * aa + Math.exp(k - q) * (data('v')[t * width + c] ?? 0);
      pp = q;
    }
    return aa;
  });
}
