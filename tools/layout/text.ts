/** What no committed text may hold: a file too long to read, a path of somebody's machine, the host of a registry. */
import type { Problem } from './problem.ts';

const longest = 600;
const source = /\.(ts|mts|js|mjs|tsx|jsx|rs|wgsl|py|sh)$/;
const generated = /\.gen\.\w+$/;

const forbidden = [
  {
    pattern: /(?<![\w./-])\/(?:work|root|tmp\/bash_jobs)\//,
    message: 'names a path of one machine',
    hint: 'use a path from the repository',
  },
  {
    pattern:
      /\b(?:registry\.(?:npmjs|yarnpkg|npmmirror)\.|files\.pythonhosted\.|(?:index|static)\.crates\.io|deb\.debian\.)/,
    message: 'names the host of a registry',
    hint: 'the registry is a matter of each machine’s settings',
  },
];

export function checkText(path: string, text: string): Problem[] {
  const lines = text.split('\n');
  const count = lines.length - (text.endsWith('\n') ? 1 : 0);
  const tooLong = source.test(path) && !generated.test(path) && count > longest;
  const found = forbidden.flatMap(({ pattern, message, hint }) => {
    const line = lines.findIndex((candidate) => pattern.test(candidate));
    return line < 0 ? [] : [{ path: `${path}:${line + 1}`, message, hint }];
  });
  return tooLong
    ? [...found, { path, message: `has ${count} lines`, hint: `split it: ${longest} is the limit` }]
    : found;
}
