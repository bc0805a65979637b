import type { GpuProfile, GpuRoofline, ProfiledDispatch } from '@receptance/backend-webgpu';
import type { Cost } from '@receptance/core';
import { alignedRows, counted, figure, giga, percent } from './text.ts';

/** Columns of the chart. */
const WIDTH = 100;

interface Title {
  readonly model: string;
  readonly weights: string;
  readonly tokens: number;
}

/** The same dispatch in every block. */
interface Row extends Cost {
  /** `blocks`, or the op around them. */
  readonly part: string;
  readonly name: string;
  readonly count: number;
  readonly milliseconds: number;
}

/** A table of where the time of a step goes, and the same as bars that lie on what they are part of. */
export function profileLines(
  { model, weights, tokens }: Title,
  { adapter, dispatches, roofline }: GpuProfile,
): string[] {
  const rows = rowsOf(dispatches);
  const all = sum(rows);
  const heads = ['dispatch', 'of', 'times', 'ms', 'of all', 'GB/s', 'GFLOP/s', 'of roofline'];
  const body = [...rows.toSorted((a, b) => b.milliseconds - a.milliseconds), all].map((row) => [
    ...[row.name, row.part, String(row.count), figure(row.milliseconds), percent(row.milliseconds / all.milliseconds)],
    ...ratesOf(row, roofline),
  ]);
  const step = tokens === 1 ? 'a token' : `reading ${counted(tokens, 'token')}`;
  return [
    `${model}, ${weights}, ${adapter}: ${step}, ${figure(all.milliseconds)} ms of the GPU in ${all.count} dispatches`,
    `roofline: ${giga(roofline.bytesPerSecond)} GB/s read, ${giga(roofline.flopsPerSecond)} GFLOP/s`,
    '',
    ...alignedRows([heads, ...body]),
    '',
    ...chartLines(rows, all.milliseconds),
  ];
}

function rowsOf(dispatches: readonly ProfiledDispatch[]): Row[] {
  const rows = new Map<string, Row>();
  // Of a block, its place among those of the same block: a shader may serve several.
  const places = new Map<string, number>();
  for (const { scope, op, shader, milliseconds, bytes, flops } of dispatches) {
    const inBlock = /^blocks\.\d+/.exec(scope)?.[0];
    const place = inBlock === undefined ? rows.size : (places.get(inBlock) ?? 0);
    if (inBlock !== undefined) places.set(inBlock, place + 1);
    const [part, name] = inBlock === undefined ? ['', op] : ['blocks', `${place + 1} ${shader}`];
    const key = `${part} ${place} ${name}`;
    const { count, ...before } = rows.get(key) ?? { count: 0, milliseconds: 0, bytes: 0, flops: 0 };
    rows.set(key, {
      ...{ part, name, count: count + 1 },
      milliseconds: before.milliseconds + milliseconds,
      ...{ bytes: before.bytes + bytes, flops: before.flops + flops },
    });
  }
  return [...rows.values()];
}

function sum(rows: readonly Row[]): Row {
  const total = (key: 'count' | 'milliseconds' | keyof Cost): number => rows.reduce((all, row) => all + row[key], 0);
  const [count, milliseconds] = [total('count'), total('milliseconds')];
  return { part: '', name: 'all', count, milliseconds, bytes: total('bytes'), flops: total('flops') };
}

/** The larger share of the two bounds is the one that counts. */
function ratesOf({ bytes, flops, milliseconds }: Row, { bytesPerSecond, flopsPerSecond }: GpuRoofline): string[] {
  const [reading, computing] = [(1000 * bytes) / milliseconds, (1000 * flops) / milliseconds];
  const [read, peak] = [reading / bytesPerSecond, computing / flopsPerSecond];
  return [giga(reading), giga(computing), read >= peak ? `${percent(read)} of read` : `${percent(peak)} of peak`];
}

/** From the whole down: each bar as long as its time, in the order in which it runs. */
function chartLines(rows: readonly Row[], whole: number): string[] {
  const parts: { name: string; milliseconds: number }[] = [];
  for (const { part, name, milliseconds } of rows) {
    const last = parts.at(-1);
    const own = part === '' ? name : part;
    if (last?.name === own) parts[parts.length - 1] = { name: own, milliseconds: last.milliseconds + milliseconds };
    else parts.push({ name: own, milliseconds });
  }
  const inner = rows.map(({ part, name, milliseconds }) => ({ name: part === '' ? '' : name, milliseconds }));
  return [bars([{ name: 'all', milliseconds: whole }], whole), bars(parts, whole), bars(inner, whole)];
}

function bars(spans: readonly { readonly name: string; readonly milliseconds: number }[], whole: number): string {
  let [line, end] = ['', 0];
  for (const { name, milliseconds } of spans) {
    end += milliseconds;
    const width = Math.round((WIDTH * end) / whole) - line.length;
    if (width <= 0) continue;
    line += width === 1 ? '|' : `[${name.slice(0, width - 2).padEnd(width - 2, name === '' ? ' ' : '-')}]`;
  }
  return line;
}
