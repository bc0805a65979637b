import { readFileSync } from 'node:fs';
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { Report } from '../report.ts';
import { tableOf } from '../table.ts';
import { figuresOf } from './plots.ts';

/** The report as one page without any script: plots are drawn here, and take their colours from the reader's light or dark. */
export function pageOf(report: Report): string {
  const { document } = parseHTML('<!doctype html><html><head></head><body></body></html>');
  const css = readFileSync(new URL('page.css', import.meta.url), 'utf8');
  const figures = figuresOf(report).map(({ title, caption, options }) => {
    const drawn = Plot.plot({ ...options, document });
    return `<section>\n<h2>${escaped(title)}</h2>\n<figcaption>${escaped(caption)}</figcaption>\n<figure>${drawn.outerHTML}</figure>\n</section>`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Receptance benchmark, ${escaped(report.date)}</title>
<style>
${css}</style>
</head>
<body>
<h1>Receptance benchmark</h1>
<p>${escaped(report.date.slice(0, 16).replace('T', ' '))} UTC</p>
${figures.join('\n')}
<h2>All figures</h2>
<pre>${escaped(tableOf(report))}</pre>
</body>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
