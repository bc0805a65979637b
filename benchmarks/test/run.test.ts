import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MEASURES, type Plan } from '../src/measure/plan.ts';
import { runBenchmarks } from '../src/measure/run.ts';
import { compareReports, comparisonTable } from '../src/report/compare.ts';
import { pageOf } from '../src/report/page/page.ts';
import { checkReport } from '../src/report/read.ts';
import { measurementOf, type Report } from '../src/report/report.ts';
import { tableOf } from '../src/report/table.ts';

const cache = mkdtempSync(join(tmpdir(), 'receptance-bench-'));
afterAll(() => rmSync(cache, { recursive: true, force: true }));

const EVERYTHING: Plan = {
  ...{ models: ['rwkv7-tiny'], weights: ['q8_0'], backends: ['wasm'], threads: [1], peers: [] },
  ...{ measures: new Set(MEASURES), repeats: 2, tokens: 6, prompts: [3, 16], sequences: [1, 2], contexts: [100, 300] },
  sampleMs: 5000,
};

let report: Report;
beforeAll(async () => {
  const surroundings = { seed: 1, peersFolder: cache, cache, signal: new AbortController().signal, status: () => {} };
  report = await runBenchmarks([EVERYTHING], surroundings);
}, 120_000);

test('a run measures everything that it is asked for, as its schema says', () => {
  expect(checkReport(JSON.parse(JSON.stringify(report)), 'it')).toEqual(report);
  expect(report.skipped).toEqual([]);
  expect(report.entries.map(({ id }) => id)).toEqual(['rwkv7-tiny/q8_0/wasm/1']);
  for (const entry of report.entries) {
    const count = (name: 'decode' | 'prefill' | 'firstToken' | 'batch' | 'load', at?: number) =>
      measurementOf(entry, name, at)?.samples.length;
    expect([count('decode'), count('prefill', 3), count('prefill', 16), count('firstToken', 16)]).toEqual([2, 2, 2, 2]);
    expect([count('batch', 1), count('batch', 2)]).toEqual([2, 2]);
    expect(measurementOf(entry, 'context', 300)?.samples).toHaveLength(8);
    expect(measurementOf(entry, 'tokenTime')?.samples.length).toBeGreaterThan(5);
    expect(entry.measurements.find(({ name }) => name === 'load')?.samples).toHaveLength(2);
    const [before, peak] = (['memoryBefore', 'peakMemory'] as const).map((name) => measurementOf(entry, name)?.samples);
    expect([before?.length, peak?.length]).toEqual([2, 2]);
    expect(Math.max(...(before ?? []))).toBeLessThan(Math.min(...(peak ?? [])));
    for (const { samples } of entry.measurements) expect(samples.every((x) => x > 0 && Number.isFinite(x))).toBe(true);
  }
});

test('ops, the transformer and quality are measured for every backend', () => {
  expect(report.ops.map(({ tokens }) => tokens)).toEqual([1, 16]);
  for (const { ops } of report.ops) {
    expect(ops.map(({ op }) => op)).toEqual(expect.arrayContaining(['wkv7', 'layerNorm']));
  }
  expect(report.baselines.map(({ costs }) => costs.map(({ context }) => context))).toEqual([[100, 300]]);
  const q4 = report.quality.filter(({ weights }) => weights === 'q4_0');
  expect(q4).toHaveLength(1);
  for (const { kl, perplexity } of q4) {
    expect(kl).toBeGreaterThan(1e-4);
    expect(perplexity).toBeGreaterThan(1);
  }
});

test('the table and the page show it', () => {
  const table = tableOf(report);
  for (const part of ['decode tokens/s', 'prefill 16 tokens/s', 'a transformer on wasm', 'reading the file', 'nats']) {
    expect(table).toContain(part);
  }
  expect(table).not.toMatch(/NaN|undefined/);
  const page = pageOf(report);
  expect(page.match(/<svg/g)?.length).toBeGreaterThan(7);
  expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)|NaN/);
});

test('a report compared with itself differs in nothing, and with a slower one by as much', () => {
  const same = compareReports(report, report);
  expect(same.length).toBeGreaterThan(9);
  for (const { better } of same) expect(better).toBe(1);
  const slower: Report = {
    ...report,
    entries: report.entries.map((entry) => ({
      ...entry,
      measurements: entry.measurements.map((series) => ({
        ...series,
        samples: series.samples.map((x) => (series.unit === 'tokens/s' ? x / 2 : 2 * x)),
      })),
    })),
  };
  for (const { better } of compareReports(report, slower)) expect(better).toBeCloseTo(0.5, 10);
  expect(comparisonTable(report, slower)).toContain('worse');
});

test.each([{}, { schema: 'receptance-benchmark/1' }, [1], null])('%j is refused as a report', (data) => {
  expect(() => checkReport(data, 'x.json')).toThrow(/x\.json is no report/);
});
