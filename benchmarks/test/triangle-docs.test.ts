import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { filesOf, filledIn } from '../src/triangle/docs.ts';
import { checkTriangle } from '../src/triangle/read.ts';
import { tablesOf } from '../src/triangle/table.ts';

const docs = join(import.meta.dirname, '../../docs');
const read = (path: string): string => readFileSync(join(docs, path), 'utf8');

test('docs/triangle.md and its pictures are those of the committed report', () => {
  const report = checkTriangle(JSON.parse(read('triangle/report.json')), 'docs/triangle/report.json');
  const page = read('triangle.md');
  for (const { name } of tablesOf(report)) expect(page).toContain(`<!-- table ${name} -->`);
  expect(filledIn(page, report)).toBe(page);
  for (const [name, text] of Object.entries(filesOf(report))) expect(read(`triangle/${name}`)).toBe(text);
});

test('a figure that is changed in the page is noticed', () => {
  const report = checkTriangle(JSON.parse(read('triangle/report.json')), 'docs/triangle/report.json');
  const page = read('triangle.md').replace('| RWKV-7 | 145,984 |', '| RWKV-7 | 145,985 |');
  expect(filledIn(page, report)).not.toBe(page);
});
