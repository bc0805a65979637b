import { readFileSync } from 'node:fs';
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { Report } from '../report.ts';
import { tableOf } from '../table.ts';
import { type Figure, figuresOf } from './plots.ts';

/** What a page shows. */
export interface PageParts {
  readonly title: string;
  /** ISO 8601 */
  readonly date: string;
  readonly figures: readonly Figure[];
  /** The figures as text. */
  readonly text: string;
}

export function pageOf(report: Report): string {
  return pageFrom({
    ...{ title: 'Receptance benchmark', date: report.date },
    ...{ figures: figuresOf(report), text: tableOf(report) },
  });
}

/** One page without any script: plots are drawn here, and take their colours from the reader's light or dark. */
export function pageFrom({ title, date, figures, text }: PageParts): string {
  const sections = figures.map((figure) => {
    const { title: name, caption } = figure;
    return `<section>\n<h2>${escaped(name)}</h2>\n<figcaption>${escaped(caption)}</figcaption>\n<figure>${drawn(figure)}</figure>\n</section>`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}, ${escaped(date)}</title>
<style>
${pageStyle()}</style>
</head>
<body>
<h1>${escaped(title)}</h1>
<p>${escaped(date.slice(0, 16).replace('T', ' '))} UTC</p>
${sections.join('\n')}
<h2>All figures</h2>
<pre>${escaped(text)}</pre>
</body>
</html>
`;
}

/** A plot as a picture of its own, for documents: it brings the page's colours along, light and dark. */
export function svgOf(figure: Figure): string {
  const colours = pageStyle().replace(/body \{.*/s, '');
  const style = `<style>${colours}svg { color: var(--text); background: var(--background) !important; font-family: system-ui, sans-serif; }</style>`;
  return `${drawn(figure).replace(/^<svg([^>]*)>/, (_, attributes: string) => {
    const namespace = attributes.includes(' xmlns=') ? '' : ' xmlns="http://www.w3.org/2000/svg"';
    return `<svg${namespace}${attributes}><title>${escaped(figure.title)}</title>${style}`;
  })}\n`;
}

function drawn({ options }: Figure): string {
  const { document } = parseHTML('<!doctype html><html><head></head><body></body></html>');
  return Plot.plot({ ...options, document }).outerHTML;
}

function pageStyle(): string {
  return readFileSync(new URL('page.css', import.meta.url), 'utf8');
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
