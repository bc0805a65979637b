import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OnnxOptions, onnx } from '../src/index.ts';
import { checkProvider, providerError } from '../src/providers.ts';
import { errorOf } from './support.ts';

describe('options', () => {
  const refused: readonly [string, unknown, string][] = [
    ['a provider that there is not', { provider: 'tensorrt' }, 'cpu, cuda, webgpu'],
    ['no threads', { threads: 0 }, 'from 1 to 1024'],
    ['an option that there is not', { device: 1 }, 'provider'],
    ['a way of activations that there is not', { activations: 'int4' }, 'exact, int8'],
    ['a recurrence that there is not', { recurrence: 'loop' }, 'scan'],
    ['a session setting that ONNX Runtime would ignore', { session: { intraOpThreads: 2 } }, 'spinning'],
    ['threads where the CPU does not compute', { provider: 'webgpu', threads: 4 }, 'the cpu provider'],
    ['activations where the CPU does not compute', { provider: 'cuda', activations: 'exact' }, 'the cpu provider'],
    ['a value that ONNX Runtime would ignore', { session: { graphOptimizationLevel: 'most' } }, 'disabled'],
  ];
  for (const [what, options, hint] of refused) {
    it(`refuses ${what}`, async () => {
      const error = await errorOf(() => onnx(options as OnnxOptions));
      expect(error?.code).toBe('BAD_OPTION');
      expect(error?.hint).toContain(hint);
    });
  }
});

describe('the CUDA provider', () => {
  const linux = { platform: 'linux', arch: 'x64' };
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'receptance-test-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('says which files are missing, from which package, for which CUDA', async () => {
    const error = await errorOf(() => checkProvider('cuda', linux, folder));
    expect(error?.code).toBe('BACKEND_UNAVAILABLE');
    expect(error?.message).toContain('libonnxruntime_providers_shared.so and libonnxruntime_providers_cuda.so');
    expect(error?.message).toContain(folder);
    expect(error?.hint).toMatch(/onnxruntime-gpu==1\.30\.0/);
    expect(error?.hint).toMatch(/CUDA 12.*CUDA 13.*cuDNN 9/);
  });

  it('names the one that is missing alone', async () => {
    await writeFile(join(folder, 'libonnxruntime_providers_shared.so'), '');
    const error = await errorOf(() => checkProvider('cuda', linux, folder));
    expect(error?.message).toContain('needs libonnxruntime_providers_cuda.so in');
    await writeFile(join(folder, 'libonnxruntime_providers_cuda.so'), '');
    expect(checkProvider('cuda', linux, folder)).toBeUndefined();
  });

  it('is for Linux on x64', async () => {
    const error = await errorOf(() => checkProvider('cuda', { platform: 'darwin', arch: 'arm64' }, folder));
    expect(error?.message).toContain('no CUDA for darwin on arm64');
  });

  it('says what a library that does not load is a part of', () => {
    const failed = 'Failed to load library libonnxruntime_providers_cuda.so with error: ';
    const blas = providerError('cuda', `${failed}libcublasLt.so.13: cannot open shared object file: No such file`);
    expect(blas.message).toContain('libcublasLt.so.13, which is a part of CUDA 13');
    const dnn = providerError('cuda', `${failed}libcudnn.so.9: cannot open shared object file: No such file`);
    expect(dnn.hint).toContain('install cuDNN 9');
    expect(providerError('cuda', 'no CUDA-capable device is detected').hint).toContain('nvidia-smi');
  });

  it('does not open here without them', async () => {
    const error = await errorOf(() => onnx({ provider: 'cuda' }).open());
    expect(error?.code).toBe('BACKEND_UNAVAILABLE');
  });
});
