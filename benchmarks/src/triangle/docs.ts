import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { svgOf } from '../report/page/page.ts';
import { triangleFigures } from './plots.ts';
import type { TriangleReport } from './report.ts';
import { tablesOf } from './table.ts';

const FOLDER = 'triangle';

/** Fills in the tables of `triangle.md`, and draws its plots and writes its report beside it. */
export async function writeDocs(report: TriangleReport, docs: string): Promise<void> {
  const page = join(docs, 'triangle.md');
  await writeFile(page, filledIn(await readFile(page, 'utf8'), report));
  await mkdir(join(docs, FOLDER), { recursive: true });
  for (const [name, text] of Object.entries(filesOf(report))) await writeFile(join(docs, FOLDER, name), text);
}

/** What lies beside the page. */
export function filesOf(report: TriangleReport): Readonly<Record<string, string>> {
  const plots = triangleFigures(report).map((figure) => [`${figure.name}.svg`, svgOf(figure)]);
  return { 'report.json': `${JSON.stringify(report)}\n`, ...Object.fromEntries(plots) };
}

/** The page with each table between its marks: `<!-- table NAME -->` and `<!-- end -->`. */
export function filledIn(page: string, report: TriangleReport): string {
  return tablesOf(report).reduce((text, { name, rows }) => {
    const [heads = [], ...others] = rows;
    const lines = [heads, heads.map(() => '---'), ...others].map((row) => `| ${row.join(' | ')} |`).join('\n');
    return text.replace(new RegExp(`(?<=<!-- table ${name} -->\n).*?(?=<!-- end -->)`, 's'), `${lines}\n`);
  }, page);
}
