import { expect, test } from 'vitest';
import { type Result, tablesOf } from '../support/matrix.ts';
import { cellsOf, differences, pageOf } from '../support/text.ts';

function result(backend: string, id: string, status: string, nmse = 0): Result {
  return { backend, id, status, errors: { y: { nmse }, loss: { nmse: 1 } } };
}

const RESULTS = [
  result('a', 'wkv7/f32/N=1', 'passed', 3e-14),
  result('a', 'wkv7/decomposed/N=2', 'passed', 3e-15),
  result('b', 'wkv7/f32/N=1', 'unsupported'),
  result('a', 'linear/f32/q8_0,N=1', 'passed', 1e-9),
  result('a', 'slice/f32/x', 'passed'),
  result('b', 'slice/f32/x', 'failed'),
  result('a', 'golden/logits/models/rwkv50_l2_c128_v97.bf16.pth', 'passed', 1e-12),
];
const page = pageOf(tablesOf(RESULTS), ['a', 'b']);

test('a page says the worst of each kind of check', () => {
  const cells = cellsOf(page);
  expect(Object.fromEntries([...cells].filter(([, text]) => text !== ''))).toEqual({
    'Ops/wkv7/a': '1e-13',
    'Ops/wkv7/b': 'unsupported',
    'Ops/slice/a': 'exact',
    'Ops/slice/b': 'failed',
    'Weights as they are stored/linear q8_0/a': '1e-9',
    'Models/RWKV-5.0 bf16 .pth/a': '1e-12',
  });
});

test('a run that does something else is noticed, one that rounds otherwise is not', () => {
  const both = new Set(['a', 'b']);
  const again = (change: (result: Result) => Result): string => pageOf(tablesOf(RESULTS.map(change)), ['a', 'b']);
  expect(differences(page, page, both)).toEqual([]);
  expect(
    differences(
      page,
      again((each) => ({ ...each, errors: { y: { nmse: (each.errors?.['y']?.nmse ?? 0) * 20 } } })),
      both,
    ),
  ).toEqual([]);
  const failing = again((each) => (each.id.startsWith('linear') ? { ...each, status: 'failed' } : each));
  expect(differences(page, failing, both)).toEqual([
    'Weights as they are stored/linear q8_0/a: the page says 1e-9, the run failed',
  ]);
  expect(differences(page, failing, new Set(['b']))).toEqual([]);
  expect(differences('', page, both).length).toBeGreaterThan(3);
});
