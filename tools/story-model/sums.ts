import type { Page } from './grammar.ts';

/** A sheet of 5 to 10 sums, one a line: three in four add two numbers below 100, the others take a number from one at least as large. */
export function sums(page: Page): void {
  const lines = page.number(5, 10);
  for (let i = 0; i < lines; i++) {
    const adds = page.chooser.choose(2, [3, 1]) === 0;
    const a = page.number(0, 99);
    page.write(`${i === 0 ? '' : '\n'}${a} ${adds ? '+' : '-'} `);
    const b = page.number(0, adds ? 99 : a);
    page.write(`${b} = ${adds ? a + b : a - b}`);
  }
}
