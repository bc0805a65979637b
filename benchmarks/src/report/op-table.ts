import type { Cost } from '@receptance/core';
import type { Roofline } from '../roofline/roofline.ts';
import { median } from '../statistics.ts';
import type { OpComparison, OpReport, OpTime, Report } from './report.ts';
import { alignedRows, counted, figure, giga, percent } from './text.ts';

/** Time by op, with the rates that the op's cost comes to, and which part of the roofline bounds it. */
export function opLines({ ops, roofline }: Report): string[] {
  return ops.map((report) => {
    const { model, weights, program, threads, tokens, milliseconds } = report;
    const ceiling = roofline.find((probe) => probe.threads === threads);
    const sum = report.ops.reduce((total, op) => total + op.milliseconds, 0);
    const title = `${model}, ${weights}, ${program}, ${counted(threads, 'thread')}: ops of a step of ${counted(tokens, 'token')}`;
    return [
      `${title}, ${figure(milliseconds)} ms; one by one ${figure(sum)} ms`,
      ...alignedRows(opRows(report.ops, ceiling)),
    ].join('\n');
  });
}

/** A line for each op, after the headings. */
export function opRows(ops: readonly OpTime[], ceiling: Roofline | undefined): string[][] {
  const sum = ops.reduce((total, op) => total + op.milliseconds, 0);
  const heads = ['op', 'nodes', 'ms', 'of all', 'GB/s', 'GFLOP/s', 'of roofline'];
  const rows = ops.map((op) => [
    ...[op.op, String(op.nodes), figure(op.milliseconds), percent(op.milliseconds / sum)],
    ...rates(op, op.milliseconds, ceiling),
  ]);
  return [heads, ...rows];
}

/** An op before and after, in turns. */
export function comparisonLines(
  comparisons: readonly OpComparison[],
  { program, threads }: Pick<OpReport, 'program' | 'threads'>,
  roofline: readonly Roofline[],
): string {
  const ceiling = roofline.find((probe) => probe.threads === threads);
  const heads = ['op', 'tokens', 'nodes', 'kernel', 'ms', 'GB/s', 'GFLOP/s', 'of roofline', 'speed'];
  const rows = comparisons.flatMap((comparison) => {
    const { op, tokens, nodes, before, after } = comparison;
    return [
      { kernel: program, samples: before },
      { kernel: 'contributed', samples: after },
    ].map(({ kernel, samples }) => {
      const milliseconds = median(samples);
      const speed = `${(median(before) / milliseconds).toFixed(2)} ×`;
      const rate = rates(comparison, milliseconds, ceiling);
      return [op, String(tokens), String(nodes), kernel, figure(milliseconds), ...rate, speed];
    });
  });
  return alignedRows([heads, ...rows]).join('\n');
}

/** The larger share of the two bounds is the one that counts: an op waits for memory or for arithmetic. */
function rates({ flops, bytes }: Cost, milliseconds: number, ceiling: Roofline | undefined): string[] {
  const [bytesPerSecond, flopsPerSecond] = [bytes, flops].map((amount) => (1000 * amount) / milliseconds);
  const shares = [
    { share: (bytesPerSecond ?? 0) / (ceiling?.bytesPerSecond ?? Number.NaN), of: 'read' },
    { share: (flopsPerSecond ?? 0) / (ceiling?.flopsPerSecond ?? Number.NaN), of: 'peak' },
  ].toSorted((a, b) => b.share - a.share);
  const [bound] = shares;
  return [giga(bytesPerSecond ?? 0), giga(flopsPerSecond ?? 0), `${percent(bound?.share ?? 0)} of ${bound?.of}`];
}
