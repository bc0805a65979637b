import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../workspace.ts';
import { documents } from './examples.ts';

/** Paths that a Markdown text links to, without anchors and addresses. */
function linksOf(text: string): string[] {
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link.replace(/#.*/, ''));
  return links.filter((link) => link !== '' && !/^[a-z]+:/.test(link));
}

test.each(documents())('%s links to files that are there', (file) => {
  const links = linksOf(readFileSync(join(root, file), 'utf8'));
  expect(links.filter((link) => !existsSync(join(root, dirname(file), link)))).toEqual([]);
});

test('links are found', () => {
  expect(linksOf('[a](b.md#c) [d](https://e.org) [f](#g) ![h](i/j.png)')).toEqual(['b.md', 'i/j.png']);
});
