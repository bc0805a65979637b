import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCheckpointFile } from '@receptance/checkpoint/node';
import { widen } from '@receptance/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { python } from '../../../tools/system-parts.ts';
import { type ExportOptions, exportOnnx, verifyExport } from '../src/index.ts';
import { errorOf } from './support.ts';

interface Model {
  readonly file: string;
  readonly golden: string;
  readonly options: ExportOptions;
  /** Of the largest difference to the golden logits. */
  readonly within: number;
}

/** Every version, in standard ops and in those of ONNX Runtime, in every type that a file can hold. */
const MODELS: readonly Model[] = [
  { file: 'rwkv4_l3_c64_v97.safetensors', golden: 'rwkv4_l3_c64_v97', options: { standard: true }, within: 2e-5 },
  {
    file: 'rwkv5_l2_c128_v97.safetensors',
    golden: 'rwkv5_l2_c128_v97',
    options: { standard: true, opset: 23 },
    within: 2e-5,
  },
  {
    file: 'rwkv6_l2_c128_v97.safetensors',
    golden: 'rwkv6_l2_c128_v97',
    options: { standard: true, opset: 18 },
    within: 2e-5,
  },
  { file: 'rwkv4_l3_c64_v97.safetensors', golden: 'rwkv4_l3_c64_v97', options: {}, within: 2e-5 },
  { file: 'rwkv5_l2_c128_v97.safetensors', golden: 'rwkv5_l2_c128_v97', options: {}, within: 2e-5 },
  { file: 'rwkv6_l2_c128_v97.safetensors', golden: 'rwkv6_l2_c128_v97', options: {}, within: 2e-5 },
  { file: 'rwkv7_l4_c128_v97.safetensors', golden: 'rwkv7_l4_c128_v97', options: {}, within: 2e-5 },
  {
    file: 'rwkv7_l2_c64_state_v97.bf16.safetensors',
    golden: 'rwkv7_l2_c64_state_v97',
    options: { standard: true },
    within: 2e-5,
  },
  {
    file: 'rwkv7_l2_c128_v97.q8_0.gguf',
    golden: 'rwkv7_l2_c128_v97.q8_0.gguf',
    options: { standard: true },
    within: 2e-5,
  },
  {
    file: 'rwkv7_l2_c128_v97.q4_0.gguf',
    golden: 'rwkv7_l2_c128_v97.q4_0.gguf',
    options: { standard: true },
    within: 2e-5,
  },
  { file: 'rwkv7_l2_c128_v97.q4_0.gguf', golden: 'rwkv7_l2_c128_v97.q4_0.gguf', options: {}, within: 5e-4 },
  { file: 'rwkv7_l2_c128_v97.q8_0.gguf', golden: 'rwkv7_l2_c128_v97.q8_0.gguf', options: {}, within: 5e-4 },
  {
    file: 'rwkv7_l2_c128_v97.safetensors',
    golden: 'rwkv7_l2_c128_v97.q8_0.gguf',
    options: { quant: 'q8_0' },
    within: 5e-4,
  },
];

interface Finding {
  readonly error?: string;
  readonly domains: readonly string[];
  readonly logits: readonly number[];
  readonly greedy: readonly number[];
  readonly reference?: readonly number[];
}

const golden = new URL('../../conformance/golden/models/', import.meta.url);

async function tensorsOf(model: string): Promise<Map<string, number[]>> {
  const checkpoint = await openCheckpointFile(new URL(`${model}.golden.safetensors`, golden));
  const tensors = new Map<string, number[]>();
  for (const [name, { dtype, shape }] of checkpoint.tensors) {
    const numbers = new Float64Array(shape.reduce((product, size) => product * size, 1));
    widen(dtype, await checkpoint.read(name), numbers);
    tensors.set(name, [...numbers]);
  }
  await checkpoint.close();
  return tensors;
}

/** Runs the script on all folders at once: Python takes its time to start. */
async function ask(jobs: readonly object[]): Promise<Finding[]> {
  const script = fileURLToPath(new URL('python/check_exports.py', import.meta.url));
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(jobs));
  let text = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) text += chunk;
  return JSON.parse(text) as Finding[];
}

function largestDifference(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? Number.NaN))), 0);
}

describe('exported folders, by programs that are not ours', () => {
  let folder: string;
  let findings: readonly Finding[];
  let expected: readonly Map<string, number[]>[];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'receptance-test-'));
    expected = await Promise.all(MODELS.map((model) => tensorsOf(model.golden)));
    const jobs: object[] = [];
    for (const [i, { file, options }] of MODELS.entries()) {
      const checkpoint = await openCheckpointFile(new URL(file, golden));
      const out = join(folder, String(i));
      await exportOnnx(checkpoint, out, options);
      await checkpoint.close();
      jobs.push({ folder: out, prompt: expected[i]?.get('prompt'), standard: options.standard ?? false });
    }
    findings = await ask(jobs);
  }, 300_000);
  afterAll(() => rm(folder, { recursive: true }));

  it('a damaged, cut or missing file is found, by us and by the script', async () => {
    const own = join(folder, '0');
    await expect(verifyExport(own)).resolves.toBeUndefined();
    const weights = await readFile(join(own, 'weights.bin'));
    const damaged = Buffer.from(weights);
    damaged[weights.length >> 1] = (damaged[weights.length >> 1] ?? 0) ^ 1;
    const sums = await readFile(join(own, 'SHA256SUMS'));
    for (const [bytes, found] of [
      [damaged, sums],
      [weights.subarray(0, 5000), sums],
      [weights.subarray(0, 5000), sums.subarray(0, sums.length - 80)],
      [weights.subarray(0, 5000), Buffer.alloc(0)],
    ] as const) {
      await writeFile(join(own, 'weights.bin'), bytes);
      await writeFile(join(own, 'SHA256SUMS'), found);
      expect((await errorOf(() => verifyExport(own)))?.code).toBe('BAD_DATA_FILE');
      const { status, stderr } = spawnSync(python, [join(own, 'run.py'), '1'], { encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(/\w is not what was exported/) });
    }
    await writeFile(join(own, 'SHA256SUMS'), sums);
    await rm(join(own, 'weights.bin'));
    expect((await errorOf(() => verifyExport(own)))?.message).toContain('weights.bin is missing');
    expect((await errorOf(() => verifyExport(folder)))?.code).toBe('FILE_NOT_FOUND');
    await writeFile(join(own, 'weights.bin'), weights);
  });

  MODELS.forEach(({ file, options, within }, i) => {
    it(`${file} ${JSON.stringify(options)}`, async () => {
      const found = findings[i];
      expect(found?.error).toBeUndefined();
      const hasBlocks = /q\d_0/.test(file) || options.quant !== undefined;
      const hasOwn = !options.standard && (hasBlocks || !file.startsWith('rwkv4'));
      expect(found?.domains).toEqual(hasOwn ? ['', 'com.microsoft'] : ['']);
      // What reads a text step by step, or by ONNX Runtime's own op for memories that are a matrix.
      const reading = await readFile(join(folder, String(i), 'model.onnx'), 'latin1');
      const isFused = !options.standard && !file.startsWith('rwkv4');
      expect([reading.includes('LinearAttention'), reading.includes('Scan')]).toEqual([isFused, !isFused]);
      const logits = expected[i]?.get('logits') ?? [];
      expect(largestDifference(found?.logits ?? [], logits)).toBeLessThan(within);
      if (options.standard) expect(largestDifference(found?.reference ?? [], logits)).toBeLessThan(within);
      const greedy = expected[i]?.get('greedy');
      if (greedy !== undefined) expect(found?.greedy).toEqual(greedy);
      else expect(found?.greedy).toHaveLength(16);
    });
  });
});
