/** The automatic choice of a backend, where no machine here has what it would take to see it happen. */
import { expect, test } from 'vitest';
import { chooseBackend, SMALL_BYTES, TINY_BYTES } from '../src/worker/choose.ts';
import type { Verdict } from '../src/worker/protocol.ts';

const gpu: Verdict = { backend: 'webgpu', works: true, detail: 'a fast GPU', software: false, openMs: 100 };

test('a small model runs on WebAssembly, and the GPU is not even asked', async () => {
  const asked = async (): Promise<Verdict> => {
    throw new Error('asked');
  };
  expect(await chooseBackend(TINY_BYTES - 1, asked)).toMatchObject({ backend: 'wasm', threads: 1 });
  const small = await chooseBackend(TINY_BYTES, asked);
  expect(small).toMatchObject({ backend: 'wasm' });
  expect(small.threads).toBeUndefined();
});

test('a large one runs on a GPU that passed its self-test, and on nothing less', async () => {
  const chosen = async (verdict: Partial<Verdict>) => chooseBackend(SMALL_BYTES, async () => ({ ...gpu, ...verdict }));
  expect(await chosen({})).toEqual({ backend: 'webgpu', why: expect.stringContaining('a fast GPU') });
  const software = await chosen({ software: true, detail: 'SwiftShader' });
  expect(software).toEqual({ backend: 'wasm', why: expect.stringContaining('software (SwiftShader)') });
  const none = await chosen({ works: false, detail: 'wrong numbers' });
  expect(none).toEqual({ backend: 'wasm', why: expect.stringContaining('wrong numbers') });
});
