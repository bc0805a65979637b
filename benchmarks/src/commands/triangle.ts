import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { badOption, listOf, whole, wholes } from '../options.ts';
import { readJson } from '../report/read.ts';
import { writeDocs } from '../triangle/docs.ts';
import { MODELS, type ModelName } from '../triangle/models.ts';
import { trianglePage } from '../triangle/page.ts';
import { FULL, type Plan, QUICK } from '../triangle/plan.ts';
import { checkTriangle } from '../triangle/read.ts';
import type { TriangleReport } from '../triangle/report.ts';
import { runTriangle, taskNamed } from '../triangle/run.ts';
import { triangleTable } from '../triangle/table.ts';
import { TASKS } from '../triangle/tasks/index.ts';

const HELP = `The impossible triangle, measured: models of equal size trained on the same texts in the same order. How fast they train, how well
they learn, what a token costs once they write.

  pnpm bench triangle                     all of docs/triangle.md: most of an hour on one thread
  pnpm bench triangle --quick             the same in a minute or two, too short to learn anything
  pnpm bench triangle --models rwkv7,transformer --tasks recall=3000,copying=3000 --rates 1e-3,3e-3
  pnpm bench triangle --from report.json --html page.html

Ctrl-C saves the training that is being made, and reports what there is; the same command goes on. Twice, it ends at once.

What is trained
  --models LIST    ${MODELS.join(', ')} (default: all)
  --tasks LIST     ${TASKS.map(({ name }) => name).join(', ')}, each with its steps or alone: recall=1500 (default: all)
  --steps N        steps of the tasks that do not say theirs
  --layers N  --width N  --head-size N  --window N     (default: ${FULL.layers}, ${FULL.width}, ${FULL.headSize}, ${FULL.window})
  --length N       tokens of a text (default: ${FULL.length})
  --batch N        texts in a batch (default: ${FULL.sequences})
  --rates LIST     learning rates; each is tried, the best goes on (default: ${FULL.rates.join(',')})
  --trial SHARE    of the steps, for each rate (default: ${FULL.trial})
  --lengths LIST   of texts whose training is timed (default: ${FULL.lengths.join(',')})
  --context LIST   tokens of text after which a token is timed (default: ${FULL.contexts.join(',')})
  --threads N      (default: ${FULL.threads})
  --seed N         of data and first weights (default: ${FULL.seed})

What becomes of it
  --json FILE      write the report; - is the standard output
  --html FILE      write the report as a page that opens from disk
  --from FILE      take a report that --json wrote instead of measuring
  --docs FOLDER    fill in the tables of FOLDER/triangle.md and draw its plots
  --work DIR       where trainings are kept (default: benchmarks/.cache/triangle)`;

const OPTIONS = {
  quick: { type: 'boolean', default: false },
  models: { type: 'string' },
  tasks: { type: 'string' },
  steps: { type: 'string' },
  layers: { type: 'string' },
  width: { type: 'string' },
  'head-size': { type: 'string' },
  window: { type: 'string' },
  length: { type: 'string' },
  batch: { type: 'string' },
  rates: { type: 'string' },
  trial: { type: 'string' },
  lengths: { type: 'string' },
  context: { type: 'string' },
  threads: { type: 'string' },
  seed: { type: 'string' },
  json: { type: 'string' },
  html: { type: 'string' },
  from: { type: 'string' },
  docs: { type: 'string' },
  work: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

type Values = ReturnType<typeof parseArgs<{ args: string[]; options: typeof OPTIONS }>>['values'];

export async function triangleCommand(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  if (values.help) return console.log(HELP);
  const { from, json, html, docs } = values;
  const report = from === undefined ? await measured(values) : checkTriangle(await readJson(from), from);
  const text = JSON.stringify(report, null, 2);
  if (json !== undefined && json !== '-') await writeFile(json, `${text}\n`);
  if (html !== undefined) await writeFile(html, trianglePage(report));
  if (docs !== undefined) await writeDocs(report, docs);
  console.log(json === '-' ? text : triangleTable(report));
  if (report.missing.length > 0) process.exitCode = 130;
}

async function measured(values: Values): Promise<TriangleReport> {
  const plan = planOf(values);
  const stopping = new AbortController();
  process.once('SIGINT', () => {
    stopping.abort(new Error('interrupted'));
    process.once('SIGINT', () => process.exit(130));
  });
  const live = process.stderr.isTTY;
  const report = await runTriangle(plan, {
    folder: values.work ?? fileURLToPath(new URL('../../.cache/triangle', import.meta.url)),
    signal: stopping.signal,
    status: (text) => live && process.stderr.write(`\r\x1b[K${text}`),
    note: (text) => process.stderr.write(live ? `\r\x1b[K${text}\n` : `${text}\n`),
  });
  if (live) process.stderr.write('\r\x1b[K');
  return report;
}

/** @throws ReceptanceError `BAD_OPTION` */
export function planOf(values: Partial<Values>): Plan {
  const base = values.quick === true ? QUICK : FULL;
  const number = (name: keyof Values, otherwise: number, least = 1): number => {
    const given = values[name];
    return typeof given === 'string' ? whole(`--${name}`, given, least) : otherwise;
  };
  const numbers = (name: 'lengths' | 'context', otherwise: readonly number[]): readonly number[] =>
    values[name] === undefined ? otherwise : wholes(`--${name}`, values[name]);
  const plan: Plan = {
    ...base,
    models: values.models === undefined ? base.models : listOf(values.models).map(modelNamed),
    tasks: tasksOf(values, base),
    layers: number('layers', base.layers),
    width: number('width', base.width),
    headSize: number('head-size', base.headSize),
    window: number('window', base.window),
    length: number('length', base.length),
    sequences: number('batch', base.sequences),
    rates: values.rates === undefined ? base.rates : listOf(values.rates).map((text) => share('--rates', text)),
    trial: values.trial === undefined ? base.trial : share('--trial', values.trial),
    lengths: numbers('lengths', base.lengths),
    contexts: numbers('context', base.contexts).toSorted((a, b) => a - b),
    threads: number('threads', base.threads),
    seed: number('seed', base.seed, 0),
  };
  if (plan.width % plan.headSize === 0) return plan;
  throw badOption(`heads of ${plan.headSize} do not make a width of ${plan.width}`, 'let --head-size divide --width');
}

function tasksOf({ tasks, steps }: Partial<Values>, base: Plan): Plan['tasks'] {
  const all = steps === undefined ? undefined : whole('--steps', steps);
  const named = tasks === undefined ? Object.keys(base.tasks) : listOf(tasks);
  return Object.fromEntries(
    named.map((text) => {
      const [name = '', own] = text.split('=');
      taskNamed(name);
      return [name, own === undefined ? (all ?? base.tasks[name] ?? 0) : whole(`--tasks ${name}`, own)];
    }),
  );
}

function modelNamed(name: string): ModelName {
  const found = MODELS.find((known) => known === name);
  if (found !== undefined) return found;
  throw badOption(`there is no model ${name}`, `choose from ${MODELS.join(', ')}`);
}

function share(option: string, text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 1) return value;
  throw badOption(`${option} is ${text}`, 'give numbers above 0, up to 1');
}
