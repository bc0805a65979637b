import { spread } from '../statistics.ts';
import { type Entry, type Measurement, measurementOf, type Report } from './report.ts';

/** The report as text. */
export function tableOf(report: Report): string {
  const groups = Map.groupBy(report.entries, ({ model, weights }) => `${model}, ${weights}`);
  return [
    machineLines(report),
    ...[...groups].map(([name, entries]) => `${name}: ${weightsLine(entries)}\n${groupTable(entries, report)}`),
    ...(report.skipped.length === 0
      ? []
      : [report.skipped.map(({ id, reason }) => `left out: ${id}: ${reason}`).join('\n')]),
  ].join('\n\n');
}

function machineLines({ machine, roofline }: Report): string {
  const { cpu, cores, platform, engine, loadBefore, loadAfter } = machine;
  const probes = roofline.map(
    ({ threads, bytesPerSecond, flopsPerSecond, fused }) =>
      `  ${counted(threads, 'thread')}: reads ${giga(bytesPerSecond)} GB/s, ${fused ? 'fused ' : ''}multiply-add ${giga(flopsPerSecond)} GFLOP/s`,
  );
  return [
    `${cpu}, ${counted(cores, 'core')}, ${platform}, ${engine}; load ${loadBefore} before, ${loadAfter} after`,
    'roofline, as WebAssembly reaches it in this run:',
    ...probes,
  ].join('\n');
}

function weightsLine([entry]: readonly Entry[]): string {
  if (entry === undefined) return '';
  return `${mega(entry.storedBytes)} MB of weights, of which a token reads ${mega(entry.weightBytesPerToken)} MB`;
}

function groupTable(entries: readonly Entry[], report: Report): string {
  const prompts = sizesOf(entries, 'prefill');
  const heads = [
    ...['program', 'threads', 'decode tokens/s', 'GB/s', 'of read'],
    ...prompts.flatMap((at) => [`prefill ${at} tokens/s`, 'GFLOP/s', 'of peak']),
    ...['held MB', 'adapter'],
  ];
  const rows = entries.map((entry) => {
    const ceiling = report.roofline.find(({ threads }) => threads === entry.threads);
    const decode = measurementOf(entry, 'decode');
    const bytesPerSecond = medianOf(decode) * entry.weightBytesPerToken;
    return [
      ...[entry.program, String(entry.threads), range(decode), giga(bytesPerSecond)],
      percent(bytesPerSecond / (ceiling?.bytesPerSecond ?? Number.NaN)),
      ...prompts.flatMap((at) => {
        const prefill = measurementOf(entry, 'prefill', at);
        const flopsPerSecond = medianOf(prefill) * (entry.flopsPerToken + entry.flopsPerRow / at);
        return [
          range(prefill),
          giga(flopsPerSecond),
          percent(flopsPerSecond / (ceiling?.flopsPerSecond ?? Number.NaN)),
        ];
      }),
      ...[entry.heldBytes === undefined ? '' : mega(entry.heldBytes), entry.adapter],
    ];
  });
  return [...alignedRows([heads, ...rows]), ...ratioLines(entries)].join('\n');
}

/** Ours against each peer on as many threads. */
function ratioLines(entries: readonly Entry[]): string[] {
  const peers = entries.filter(({ isPeer }) => isPeer);
  return entries
    .filter(({ isPeer }) => !isPeer)
    .flatMap((own) =>
      peers
        .filter(({ threads }) => threads === own.threads)
        .map((peer) => {
          const ratios = own.measurements.flatMap((mine) => {
            const theirs = measurementOf(peer, mine.name, mine.at);
            if (mine.unit !== 'tokens/s' || theirs === undefined) return [];
            const name = mine.at === undefined ? mine.name : `${mine.name} ${mine.at}`;
            return [`${name} ${(medianOf(mine) / medianOf(theirs)).toFixed(2)} ×`];
          });
          return `${own.program} against ${peer.program}, ${counted(own.threads, 'thread')}: ${ratios.join(', ')}`;
        }),
    );
}

function sizesOf(entries: readonly Entry[], name: Measurement['name']): number[] {
  const sizes = entries.flatMap(({ measurements }) => measurements.filter((found) => found.name === name));
  return [...new Set(sizes.map(({ at = 0 }) => at))].toSorted((a, b) => a - b);
}

function medianOf(measurement: Measurement | undefined): number {
  return measurement === undefined ? Number.NaN : spread(measurement.samples).median;
}

/** A median, and the range of the middle half. */
function range(measurement: Measurement | undefined): string {
  if (measurement === undefined) return '';
  const { median, low, high } = spread(measurement.samples);
  return `${figure(median)} (${figure(low)}…${figure(high)})`;
}

/** Three digits. */
export function figure(x: number): string {
  if (!Number.isFinite(x)) return '';
  return x >= 100 ? x.toFixed(0) : x.toPrecision(3);
}

function giga(x: number): string {
  return figure(x / 1e9);
}

function mega(x: number): string {
  return (x / 1e6).toFixed(0);
}

function percent(share: number): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(0)} %` : '';
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

export function alignedRows(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
