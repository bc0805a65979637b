import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { planOf } from '../src/commands/triangle.ts';
import { svgOf } from '../src/report/page/page.ts';
import { writeDocs } from '../src/triangle/docs.ts';
import { equalModels, MODELS } from '../src/triangle/models.ts';
import { trianglePage } from '../src/triangle/page.ts';
import { FULL, type Plan, QUICK } from '../src/triangle/plan.ts';
import { triangleFigures } from '../src/triangle/plots.ts';
import { checkTriangle } from '../src/triangle/read.ts';
import type { TriangleReport } from '../src/triangle/report.ts';
import { runTriangle } from '../src/triangle/run.ts';
import { triangleTable } from '../src/triangle/table.ts';
import { curveOf } from '../src/triangle/training.ts';

const folder = mkdtempSync(join(tmpdir(), 'receptance-triangle-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const TINY: Plan = {
  ...{ ...QUICK, layers: 1, width: 16, headSize: 8, window: 4, length: 32, sequences: 2, heldOut: 4 },
  tasks: { recall: 4, copying: 4, dyck: 4, addition: 4, stories: 4 },
  ...{ rates: [1e-2], lengths: [16, 32], stepTokens: 32, contexts: [100, 300] },
};

const notes: string[] = [];

function run(plan: Plan, work: string, signal = new AbortController().signal): Promise<TriangleReport> {
  return runTriangle(plan, { folder: join(folder, work), signal, status: () => {}, note: (text) => notes.push(text) });
}

let report: TriangleReport;
beforeAll(async () => {
  report = await run(TINY, 'whole');
}, 600_000);

test('all models are of one size, within 2 %, whatever the size', () => {
  for (const size of [FULL, QUICK, { ...FULL, width: 128, layers: 4, length: 256 }]) {
    const counts = equalModels(size).map(({ parameters }) => parameters);
    expect(counts).toHaveLength(MODELS.length);
    for (const count of counts) expect(Math.abs(count / (counts[0] ?? 0) - 1)).toBeLessThan(0.02);
  }
});

test('a run measures everything, as its schema says', () => {
  expect(checkTriangle(JSON.parse(JSON.stringify(report)), 'it')).toEqual(report);
  expect(report.missing).toEqual([]);
  expect(report.trainings.map(({ task, model }) => `${task}/${model}`)).toEqual(
    Object.keys(TINY.tasks).flatMap((task) => MODELS.map((model) => `${task}/${model}`)),
  );
  for (const { tokens, curve, score } of report.trainings) {
    expect(tokens).toBe(4 * 2 * 32);
    expect(curve.at(-1)?.tokens).toBe(tokens);
    expect(score.answers).toBeGreaterThan(3);
    expect(score.loss).toBeGreaterThan(0);
  }
  expect(report.speeds).toHaveLength(2 * MODELS.length);
  expect(report.decodes).toHaveLength(2 * MODELS.length);
  expect(notes).toHaveLength(report.trainings.length);
});

test('memory of a text: constant in the models with a state, growing in the transformer', () => {
  const bytes = (model: string): number[] =>
    report.decodes.filter((each) => each.model === model).map(({ memoryBytes }) => memoryBytes);
  for (const model of ['rwkv7', 'rwkv4', 'aft-simple', 'aft-local']) expect(bytes(model)[0]).toBe(bytes(model)[1]);
  expect(bytes('transformer')[1]).toBe(3 * (bytes('transformer')[0] ?? 0));
});

test('what was measured once is not measured again', async () => {
  const again = await run(TINY, 'whole');
  expect(again).toEqual({ ...report, date: again.date, machine: again.machine });
});

test('a run that is stopped reports what there is, and goes on to the same end', async () => {
  const plan: Plan = {
    ...{ ...TINY, models: ['rwkv7'], tasks: { recall: 6, copying: 6 }, contexts: [], lengths: [] },
    ...{ rates: [1e-3, 1e-2], trial: 0.5 },
  };
  const whole = await run(plan, 'straight');
  for (const { trials, rate } of whole.trainings) {
    expect(trials.map((trial) => trial.rate)).toEqual(plan.rates);
    const [best] = trials.toSorted((a, b) => (a.loss ?? Number.NaN) - (b.loss ?? Number.NaN));
    expect(rate).toBe(best?.rate);
  }
  const stopping = new AbortController();
  const part = await runTriangle(plan, {
    ...{ folder: join(folder, 'stopped'), signal: stopping.signal, note: () => {} },
    status: (text) => text.includes('copying/rwkv7, step 8') && stopping.abort(new Error('stop')),
  });
  expect(part.missing).toEqual(['copying-6/rwkv7']);
  expect(checkTriangle(JSON.parse(JSON.stringify(part)), 'it').trainings).toHaveLength(1);
  expect(triangleTable(part)).toContain('not done yet: copying-6/rwkv7');
  const rest = await run(plan, 'stopped');
  const exact = ({ trainings }: TriangleReport) => trainings.map((each) => ({ ...each, seconds: 0 }));
  expect(exact(rest)).toEqual(exact(whole));
  const [kept = ''] = readdirSync(join(folder, 'stopped'));
  expect(existsSync(join(folder, 'stopped', kept, 'copying-6/rwkv7/result.json'))).toBe(true);
});

test('the table, the page and the pictures show it', () => {
  const table = triangleTable(report);
  for (const part of ['Models of equal size', 'a guess', 'AFT-local', 'Training, tokens/s', 'KiB']) {
    expect(table).toContain(part);
  }
  expect(table).not.toMatch(/NaN|undefined|not done/);
  const page = trianglePage(report);
  expect(page.match(/<svg/g)).toHaveLength(5);
  expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)|NaN/);
  for (const figure of triangleFigures(report)) {
    const svg = svgOf(figure);
    expect(svg).toMatch(/^<svg[^>]+xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(svg).toContain('prefers-color-scheme: dark');
    expect(svg).not.toMatch(/<script|NaN|undefined/);
  }
});

test('documents get their tables, pictures and the report', async () => {
  const docs = join(folder, 'docs');
  mkdirSync(docs);
  writeFileSync(join(docs, 'triangle.md'), 'before\n<!-- table accuracy -->\nold\n<!-- end -->\nafter\n');
  await writeDocs(report, docs);
  const page = readFileSync(join(docs, 'triangle.md'), 'utf8');
  expect(page).toMatch(/^before\n<!-- table accuracy -->\n\| model \| recall .*\| a guess \|.*<!-- end -->\nafter\n$/s);
  expect(page).not.toContain('old');
  expect(JSON.parse(readFileSync(join(docs, 'triangle/report.json'), 'utf8'))).toEqual(report);
  expect(readFileSync(join(docs, 'triangle/accuracy.svg'), 'utf8')).toContain('AFT-local');
});

test('a curve is the means of its parts', () => {
  const lines = Array.from({ length: 80 }, (_, i) => ({ step: i + 1, loss: i }));
  const curve = curveOf([...lines, { step: 80, heldOut: 5 }], 10);
  expect(curve).toHaveLength(40);
  expect(curve.slice(0, 2)).toEqual([
    { tokens: 20, loss: 0.5 },
    { tokens: 40, loss: 2.5 },
  ]);
});

test('options become a plan', () => {
  expect(planOf({})).toEqual(FULL);
  expect(planOf({ tasks: 'recall=7,dyck', steps: '9', models: 'rwkv4', rates: '1e-3' })).toEqual({
    ...{ ...FULL, tasks: { recall: 7, dyck: 9 }, models: ['rwkv4'], rates: [1e-3] },
  });
  const bad: readonly (readonly [Parameters<typeof planOf>[0], RegExp])[] = [
    [{ models: 'gpt' }, /no model gpt/],
    [{ tasks: 'chess' }, /no task chess/],
    [{ rates: '0' }, /--rates is 0/],
    [{ steps: '1.5' }, /--steps is 1\.5/],
    [{ 'head-size': '48' }, /heads of 48/],
  ];
  for (const [values, message] of bad) expect(() => planOf(values)).toThrow(message);
});

test.each([{}, { schema: 'receptance-triangle/1' }, [1], null])('%j is refused as a report', (data) => {
  expect(() => checkTriangle(data, 'x.json')).toThrow(/x\.json is no report/);
});
