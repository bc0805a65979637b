import * as Plot from '@observablehq/plot';
import type { LogLine } from '@receptance/train/node';
import { parseHTML } from 'linkedom';

/** Points of a line: more cannot be told apart. */
const MOST_POINTS = 1500;
/** Seconds after which a page that is still drawn anew asks for itself again. */
const REFRESH = 5;

const STYLE = `:root { color-scheme: light dark; --step: #79b0ff; --mean: #2563eb; --held: #c2410c; }
@media (prefers-color-scheme: dark) { :root { --step: #2a4a7f; --mean: #79b0ff; --held: #fb923c; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 900px; margin: 2rem auto; padding: 0 1rem; }
svg { max-width: 100%; height: auto; }`;

export interface PlotFacts {
  readonly title: string;
  readonly steps: number;
  readonly ended: boolean;
}

/** The loss so far as a page of its own without any script, which asks for itself again while the training goes on. */
export function lossPage(lines: readonly LogLine[], { title, steps, ended }: PlotFacts): string {
  const { document } = parseHTML('<!doctype html><html><head></head><body></body></html>');
  const made = thinned(lines.filter(({ loss }) => loss !== undefined).map(({ step, loss = 0 }) => ({ step, loss })));
  const held = lines
    .filter(({ heldOut }) => heldOut !== undefined)
    .map(({ step, heldOut = 0 }) => ({ step, loss: heldOut }));
  const drawn = Plot.plot({
    ...{ width: 860, height: 460, marginLeft: 60, document },
    style: { fontSize: '13px', fontFamily: 'inherit', background: 'none', overflow: 'visible' },
    x: { label: 'step', domain: [0, steps] },
    y: { label: 'loss, nats per token', type: 'log', grid: true, tickFormat: (loss: number) => loss.toPrecision(2) },
    marks: [
      Plot.lineY(made, { x: 'step', y: 'loss', stroke: 'var(--step)', strokeWidth: 1 }),
      Plot.lineY(smoothed(made), { x: 'step', y: 'loss', stroke: 'var(--mean)', strokeWidth: 2 }),
      Plot.lineY(held, { x: 'step', y: 'loss', stroke: 'var(--held)', strokeWidth: 2 }),
      Plot.dot(held, { x: 'step', y: 'loss', fill: 'var(--held)' }),
    ],
  });
  const last = made.at(-1);
  const facts = [
    last === undefined ? 'no step yet' : `step ${last.step} of ${steps}, loss ${last.loss.toFixed(4)}`,
    ...held.slice(-1).map(({ loss }) => `held out ${loss.toFixed(4)} (orange)`),
  ];
  const refresh = ended ? '' : `<meta http-equiv="refresh" content="${REFRESH}">\n`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
${refresh}<title>${escaped(title)}</title>
<style>
${STYLE}
</style>
</head>
<body>
<h1>${escaped(title)}</h1>
<p>${escaped(facts.join(', '))}</p>
<figure>${drawn.outerHTML}</figure>
</body>
</html>
`;
}

interface Point {
  readonly step: number;
  readonly loss: number;
}

/** A running mean over the twentieth part of all points. */
function smoothed(points: readonly Point[]): Point[] {
  const weight = 1 / Math.max(1, points.length / 20);
  let mean = points[0]?.loss ?? 0;
  return points.map(({ step, loss }) => {
    mean += weight * (loss - mean);
    return { step, loss: mean };
  });
}

function thinned(points: readonly Point[]): Point[] {
  const every = Math.ceil(points.length / MOST_POINTS);
  return points.filter((_, i) => i % every === 0 || i === points.length - 1);
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
