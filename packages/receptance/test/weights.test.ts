import { reference } from '@receptance/backend-reference';
import { wasm } from '@receptance/backend-wasm';
import { hashDigits } from '@receptance/checkpoint';
import { openCheckpointFile } from '@receptance/checkpoint/node';
import { type Backend, convertTensors, quantizedSource, type WeightSource } from '@receptance/core';
import { expect, test } from 'vitest';
import { load, type WeightType } from '../src/index.ts';
import { loadFile } from '../src/node.ts';
import { goldenModel, largestDifference } from './support/golden.ts';
import { randomModel } from './support/models.ts';

/** A backend that keeps the source that a model was loaded from. */
function keeping(sources: WeightSource[]): Backend {
  const inner = reference();
  return {
    ...inner,
    async open() {
      const device = await inner.open();
      const loadParameters = device.loadParameters.bind(device);
      device.loadParameters = (source, ...rest) => {
        sources.push(source);
        return loadParameters(source, ...rest);
      };
      return device;
    },
  };
}

const MODELS = ['rwkv4_l3_c64_v97', 'rwkv5_l2_c128_v97', 'rwkv6_l2_c128_v97', 'rwkv7_l2_c128_v97'];

test.each(MODELS)('%s: the big matrices are held as asked for, and nothing else', async (name) => {
  const file = goldenModel(`${name}.safetensors`);
  const stored = await openCheckpointFile(file);
  for (const weights of ['bf16', 'q8_0'] as const) {
    const sources: WeightSource[] = [];
    const model = await loadFile(file, { backend: keeping(sources), weights, chunk: 8 });
    const tensors = [...(sources[0]?.tensors ?? [])];
    expect(tensors).toHaveLength(stored.tensors.size);
    const changed = tensors.filter(([each, { dtype }]) => dtype !== stored.tensors.get(each)?.dtype);
    // Embedding, head, and per layer 4 or 5 of the time mix and 2 or 3 of the channel mix.
    const perLayer = { rwkv4: 7, rwkv5: 8, rwkv6: 8, rwkv7: 6 }[model.architecture] ?? 0;
    expect(changed).toHaveLength(2 + perLayer * model.layers);
    expect(changed.every(([each, { dtype }]) => dtype === weights && /^(emb|head)|\.(att|ffn)\./.test(each))).toBe(
      true,
    );

    const ready = weights === 'q8_0' ? quantizedSource(stored, weights) : undefined;
    if (ready !== undefined) {
      const same = await load(ready, { backend: reference(), chunk: 8 });
      expect(await model.logits([1, 2, 3])).toEqual(await same.logits([1, 2, 3]));
      await same.close();
    }
    await model.close();
  }
  await stored.close();
});

test('precision costs what it is expected to, and the model stays the same to a saved state', async () => {
  const file = goldenModel('rwkv7_l2_c128_v97.safetensors');
  const plain = await loadFile(file, { backend: reference() });
  const { data } = await plain.logits([1, 2, 3, 4]);
  const session = await plain.session();
  await session.prefill([1, 2, 3, 4]);
  const saved = await session.save();
  const errors: Partial<Record<WeightType, number>> = {};
  for (const weights of ['f32', 'f16', 'bf16', 'q8_0', 'q4_0'] as const) {
    const model = await loadFile(file, { backend: wasm(), weights });
    errors[weights] = largestDifference((await model.logits([1, 2, 3, 4])).data, data);
    expect(model.fingerprint).toBe(plain.fingerprint);
    await (await model.session()).restore(saved);
    const { parameterBytes, stateBytes } = model.memory;
    expect(parameterBytes).toBeGreaterThan(0);
    expect(stateBytes).toBe(4.5 * model.memory.sessionBytes);
    await model.close();
  }
  const { f32 = 1, f16 = 1, bf16 = 1, q8_0 = 1, q4_0 = 1 } = errors;
  expect(f32).toBeLessThan(1e-4);
  expect([f32 < f16, f16 < bf16, f16 < q8_0, q8_0 < q4_0]).toEqual([true, true, true, true]);
  await plain.close();
});

test('blocks are widened when that is asked for, but not quantised again', async () => {
  const file = goldenModel('rwkv7_l2_c128_v97.q4_0.gguf');
  const stored = await openCheckpointFile(file);
  const sources: WeightSource[] = [];
  for (const weights of ['q8_0', 'f32'] as const) {
    await (await load(stored, { backend: keeping(sources), weights })).close();
  }
  const name = 'blocks.0.att.key.weight';
  expect(stored.tensors.get(name)?.dtype).toBe('q4_0');
  expect(sources.map(({ tensors }) => tensors.get(name)?.dtype)).toEqual(['q4_0', 'f32']);
  await stored.close();
});

test('a type that there is not is refused, and so is a number that the type cannot hold', async () => {
  const backend = reference();
  await expect(load(randomModel(), { backend, weights: 'q5_k' as never })).rejects.toThrow(
    expect.objectContaining({ code: 'BAD_OPTION' }),
  );
  const file = await openCheckpointFile(goldenModel('rwkv7_l2_c128_v97.safetensors'));
  const wide = convertTensors(file, { dtype: 'f32' });
  const large: WeightSource = {
    ...wide,
    async read(name, range, signal) {
      const bytes = await wide.read(name, range, signal);
      if (name === 'head.weight') new DataView(bytes.buffer, bytes.byteOffset).setFloat32(0, 1e6, true);
      return bytes;
    },
  };
  await expect(load(large, { backend, weights: 'f16' })).rejects.toThrow(expect.objectContaining({ code: 'OVERFLOW' }));
  await file.close();
});

test('a fingerprint is the FNV-1a hash of 64 bits', () => {
  const hashes = ['', 'a', 'foobar'].map((text) => hashDigits([new TextEncoder().encode(text)]));
  // From the authors' list of test vectors.
  expect(hashes).toEqual(['cbf29ce484222325', 'af63dc4c8601ec8c', '85944171f73967e8']);
});
