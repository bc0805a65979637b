import { expect, test } from 'vitest';
import { checkText } from '../layout/text.ts';

const machine = ['', 'work', 'main'].join('/');
const host = ['registry', 'npmjs', 'org'].join('.');

test.each([
  ['a.md', `see ${machine}/x`, ['a.md:1']],
  ['a.md', `see https://example.org${machine}/x`, []],
  ['a.json', `{\n"url": "https://${host}/x"}`, ['a.json:2']],
  ['a.ts', 'x\n'.repeat(600), []],
  ['a.ts', 'x\n'.repeat(601), ['a.ts']],
  ['a.gen.ts', 'x\n'.repeat(601), []],
  ['a.md', 'x\n'.repeat(601), []],
])('%s', (path, text, expected) => {
  expect(checkText(path, text).map((problem) => problem.path)).toEqual(expected);
});
