import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TensorToWrite, writeSafetensors } from '@receptance/checkpoint';
import { openCheckpointFile } from '@receptance/checkpoint/node';
import { afterAll, expect, test } from 'vitest';
import { golden, receptance } from './support/receptance.ts';

const folder = await mkdtemp(join(tmpdir(), 'receptance-'));
afterAll(() => rm(folder, { recursive: true }));
const CASE = 'wkv4_normal_zero_T2_C8.safetensors';

interface Report {
  readonly backend: string;
  readonly results: readonly { readonly id: string; readonly status: string; readonly reason?: string }[];
  readonly passed: number;
  readonly failed: number;
  readonly unknown: number;
}

/** A folder of its own with one golden case in it, below. */
async function folderWith(name: string, put: (path: string) => Promise<void>): Promise<string> {
  const path = join(folder, name, 'below');
  await mkdir(path, { recursive: true });
  await put(path);
  return join(folder, name);
}

const right = (path: string): Promise<void> => cp(golden(`ops/${CASE}`), join(path, CASE));

/** The same case with every result off by a tenth. */
async function wrong(path: string): Promise<void> {
  const file = await openCheckpointFile(golden(`ops/${CASE}`));
  const tensors: TensorToWrite[] = [];
  for (const [name, { dtype, shape }] of file.tensors) {
    const data = await file.read(name);
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const results = name.startsWith('out.') && dtype === 'f64' ? data.length : 0;
    for (let at = 0; at < results; at += 8) view.setFloat64(at, view.getFloat64(at, true) + 0.1, true);
    tensors.push({ name, dtype, shape, data });
  }
  await writeFile(join(path, CASE), writeSafetensors(tensors, file.metadata));
  await file.close();
}

test.each(['reference', 'wasm'])('golden files in a folder and below are found, and hold, on %s', async (backend) => {
  const path = await folderWith(`right-${backend}`, async (below) => {
    await right(below);
    await writeFile(join(below, 'new_kind.safetensors'), writeSafetensors([], { op: 'somethingNew' }));
  });
  const { status, stdout } = await receptance(['conform', '--golden', path, '--backend', backend, '--json']);
  const report = JSON.parse(stdout) as Report;
  expect(report).toMatchObject({ backend, failed: 0, unknown: 1 });
  expect(report.passed).toBeGreaterThan(0);
  expect(report.results.every(({ id }) => id.startsWith('golden/'))).toBe(true);
  expect(report.results.find((result) => result.status === 'unknown')?.reason).toContain('somethingNew');
  expect(status).toBe(0);
});

test('a case that fails is told first, and sets the status', async () => {
  const path = await folderWith('wrong', wrong);
  const { status, stdout } = await receptance(['conform', '--golden', path]);
  expect(stdout).toMatch(/^failed {2}golden\//);
  expect(stdout).toMatch(/\d failed\n$/);
  expect(status).toBe(1);
});

test('all backends are held to it, one after the other, and what is not there says why', {
  timeout: 180_000,
}, async () => {
  const path = await folderWith('all', right);
  const { status, stdout, stderr } = await receptance([
    'conform',
    '--all',
    '--golden',
    path,
    '--only',
    'golden/',
    '--json',
  ]);
  const { reports, unavailable } = JSON.parse(stdout) as {
    readonly reports: readonly Report[];
    readonly unavailable: readonly { readonly backend: string; readonly reason: string }[];
  };
  const ran = reports.map(({ backend }) => backend);
  expect(ran).toEqual(expect.arrayContaining(['reference', 'wasm', 'onnx']));
  for (const { results } of reports) {
    expect(results.length).toBeGreaterThan(0);
    for (const result of results) expect(['passed', 'unsupported']).toContain(result.status);
  }
  for (const { passed } of reports.filter(({ backend }) => backend === 'wasm' || backend === 'onnx')) {
    expect(passed).toBeGreaterThan(0);
  }
  for (const { reason } of unavailable) expect(reason).not.toBe('');
  // Told as it goes: which backend, and how many there are.
  const names = [...ran, ...unavailable.map(({ backend }) => backend)];
  const told = stderr.match(/^[\w-]+(?=, \d of \d$)/gm);
  expect(told?.toSorted()).toEqual(names.toSorted());
  expect(status).toBe(0);
});

test('Ctrl-C ends the suite with what it has found', async () => {
  const args = ['conform', '--verbose', '--backend', 'reference'];
  let interrupted = false;
  const { status, stdout } = await receptance(args, ({ kill }) => {
    if (!interrupted) kill('SIGINT');
    interrupted = true;
  });
  expect(status).toBe(130);
  expect(stdout).toMatch(/passed.*, interrupted\n$/);
});

test('it ends quietly when nobody reads on', async () => {
  const args = ['conform', '--verbose', '--backend', 'reference'];
  const { status, stderr } = await receptance(args, ({ stopReading }) => stopReading());
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
