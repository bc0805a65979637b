import { expect, test } from 'vitest';
import { checkBackend, checkOpFiles } from '../layout/kernels.ts';

const ops = { input: 'leaf', wkv7: 'primitive', layerNorm: 'primitive', timeMix7: 'composite' } as const;
const backend = {
  folder: 'packages/backend-x',
  files: ['src/kernels/wkv7.ts', 'src/kernels/layerNorm.ts', 'src/kernels/_rows.ts', 'crate/src/kernels/layer_norm.rs'],
  absent: {},
  shared: {},
};
const messages = (layout: typeof backend & { absent?: Record<string, string>; shared?: Record<string, string[]> }) =>
  checkBackend(ops, layout).map(({ message }) => message);

test('a complete backend has no problem', () => {
  expect(messages(backend)).toEqual([]);
});

test('a primitive without a kernel is reported, unless it is listed with a reason', () => {
  const files = ['src/kernels/wkv7.ts'];
  expect(messages({ ...backend, files })).toEqual(['no kernel for layerNorm']);
  expect(messages({ ...backend, files, absent: { layerNorm: 'decomposed' } })).toEqual([]);
  expect(messages({ ...backend, files, absent: { layerNorm: ' ' } })).toEqual(['layerNorm has no reason']);
});

test('a list that is out of date is reported', () => {
  const absent = { layerNorm: 'decomposed', wkv9: 'not yet' };
  expect(messages({ ...backend, absent })).toEqual([
    'layerNorm is listed as absent but has a kernel',
    'wkv9 is not an op',
  ]);
});

test('files that belong to no op are reported', () => {
  const files = [...backend.files, 'src/kernels/wkv9.ts', 'src/kernels/rows.wgsl', 'src/kernels/input.ts'];
  expect(messages({ ...backend, files })).toEqual(['input is a leaf', 'names no op', 'has no src/kernels/rows.ts']);
  expect(
    messages({ ...backend, files: [...backend.files, 'src/kernels/rows.wgsl'], shared: { 'rows.wgsl': ['wkv7'] } }),
  ).toEqual([]);
  expect(messages({ ...backend, shared: { 'gone.wgsl': ['wkv9'] } })).toEqual([
    'gone.wgsl does not exist',
    'gone.wgsl serves wkv9, which has no kernel file',
  ]);
});

test('ops and their files are the same list', () => {
  const files = ['wkv7', 'layerNorm', 'timeMix7', 'index', '_shapes', 'patterns'].map(
    (name) => `packages/core/src/ops/${name}.ts`,
  );
  expect(checkOpFiles(ops, files).map(({ path, message }) => `${path} ${message}`)).toEqual([
    'packages/core/src/ops/input.ts op input has no file of its name',
    'packages/core/src/ops/patterns.ts is not an op of the registry',
  ]);
});
