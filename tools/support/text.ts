import type { Cell, Table } from './matrix.ts';

/** A cell as the page shows it. */
export function cellText(cell: Cell | undefined): string {
  if (cell === undefined) return '';
  if (cell.status !== 'passed') return cell.status;
  return cell.decade === undefined ? 'exact' : `1e${cell.decade}`;
}

export function pageOf(tables: readonly Table[], backends: readonly string[]): string {
  const parts = tables.map(({ title, about, rows }) => {
    const lines = [...rows].map(([name, cells]) => [name, ...backends.map((backend) => cellText(cells.get(backend)))]);
    const table = [['', ...backends], ['---', ...backends.map(() => '---')], ...lines];
    return [`## ${title}`, '', about, '', ...table.map((cells) => `| ${cells.join(' | ')} |`), ''].join('\n');
  });
  return [
    '# What works where',
    '',
    'Made from a run of the whole conformance suite on each backend, and held against one in CI. A cell is the power of ten that no normalised mean',
    'squared error of its checks exceeds; `exact`: to the last bit; `unsupported`: refused with a reason; empty: no such check is run there.',
    'WebGPU runs on a software GPU here, and one file of each model.',
    '',
    '```sh',
    'npm test && node tools/support-matrix.ts      # writes this page from the tests\u2019 own run',
    'receptance conform --all --json > all.json    # or from a run of the suite alone',
    'node tools/support-matrix.ts all.json',
    '```',
    '',
    ...parts,
  ].join('\n');
}

/** The cells of a page: `<title>/<row>/<backend>` and what stands there. */
export function cellsOf(page: string): Map<string, string> {
  const cells = new Map<string, string>();
  let [title, heads]: [string, readonly string[]] = ['', []];
  for (const line of page.split('\n')) {
    if (line.startsWith('## ')) [title, heads] = [line.slice(3), []];
    if (!line.startsWith('| ')) continue;
    const [name = '', ...rest] = line
      .slice(2, -2)
      .split(' | ')
      .map((cell) => cell.trim());
    if (heads.length === 0) heads = rest;
    else if (name !== '---') for (const [i, cell] of rest.entries()) cells.set(`${title}/${name}/${heads[i]}`, cell);
  }
  return cells;
}

/** Errors of another machine or engine may differ by so many powers of ten; what works must not differ at all. */
const DECADES = 3;
/** Below this an error is one of rounding, and may as well be none. */
const ROUNDING = -13;

function decadeOf(cell: string): number | undefined {
  if (cell === 'exact') return Number.NEGATIVE_INFINITY;
  return /^1e-?\d+$/.test(cell) ? Number(cell.slice(2)) : undefined;
}

/** Where a committed page says something else than a run. @param backends those that took part in the run */
export function differences(committed: string, made: string, backends: ReadonlySet<string>): string[] {
  const [before, now] = [cellsOf(committed), cellsOf(made)];
  return [...new Set([...before.keys(), ...now.keys()])].flatMap((key) => {
    if (!backends.has(key.slice(key.lastIndexOf('/') + 1))) return [];
    const [was, is] = [before.get(key) ?? 'nothing', now.get(key) ?? 'nothing'];
    const [old, own] = [decadeOf(was), decadeOf(is)];
    const near =
      old !== undefined && own !== undefined && (Math.abs(old - own) <= DECADES || Math.max(old, own) <= ROUNDING);
    return was === is || near ? [] : [`${key}: the page says ${was}, the run ${is}`];
  });
}
