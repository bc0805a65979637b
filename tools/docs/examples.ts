/** The examples of the documentation: every block of TypeScript in a Markdown file. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { root } from '../workspace.ts';

export interface Example {
  /** Path from the root. */
  readonly file: string;
  /** Of the block's first line of code, from 1. */
  readonly line: number;
  readonly code: string;
  /** What the text around it gives: declarations out of a comment `given: …` above the block. */
  readonly given: string;
  /** Marked `ts run`: a whole program. */
  readonly runs: boolean;
}

const PLACES = ['*.md', 'docs/**/*.md', 'packages/*/*.md', 'apps/*/*.md', 'benchmarks/*.md'];
const BLOCK = /(?:^<!-- given: (.*?) -->\n)?(?:^<!-- [^\n]* -->\n)?^```ts( run)?\n(.*?)^```$/gms;

export function examplesOf(file: string, text: string): Example[] {
  return [...text.matchAll(BLOCK)].map((match) => {
    const [block, given = '', run, code = ''] = match;
    const before = text.slice(0, match.index + block.length - code.length - '```'.length);
    return { file, line: before.split('\n').length, code, given, runs: run !== undefined };
  });
}

export function documents(): string[] {
  return globSync(PLACES, { cwd: root, exclude: (name) => name.endsWith('node_modules') }).sort();
}

export function allExamples(): Example[] {
  return documents().flatMap((file) => examplesOf(file, readFileSync(join(root, file), 'utf8')));
}

/**
 * An example as a module in `folder`, its lines numbered as in the Markdown file, so that an error names the right one.
 * What it imports by a relative path lies beside the Markdown file.
 */
export function moduleOf({ file, line, code, given }: Example, folder: string): string {
  const from = relative(folder, join(root, dirname(file)));
  const text = `${given} export {};${'\n'.repeat(line - 1)}${code}`;
  return text.replaceAll(/(?<=from ')(?=\.\.?\/)/g, `${from}/`);
}

/** What an example says it prints: the comments behind its `console.log(…);`. */
export function printedBy({ code }: Example): string[] {
  return [...code.matchAll(/console\.log\(.*\); \/\/ (.+)$/gm)].map(([, text = '']) => text);
}
