import { opLines } from './op-table.ts';
import { type Entry, type Measurement, type MeasurementName, measurementOf, type Report } from './report.ts';
import { alignedRows, counted, figure, giga, medianOf, mega, percent, range } from './text.ts';

/** The report as text. */
export function tableOf(report: Report): string {
  const groups = Map.groupBy(report.entries, ({ model, weights }) => `${model}, ${weights}`);
  return [
    machineLines(report),
    ...[...groups].map(([name, entries]) => groupLines(name, entries, report).join('\n')),
    ...opLines(report),
    ...qualityLines(report),
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

function groupLines(name: string, entries: readonly Entry[], report: Report): string[] {
  const [first] = entries;
  if (first === undefined) return [];
  const weights = `${mega(first.storedBytes)} MB of weights, of which a token reads ${mega(first.weightBytesPerToken)} MB`;
  return [
    `${name}: ${weights}`,
    ...speedLines(entries, report),
    ...ratioLines(entries),
    ...timeLines(entries),
    ...sizeLines(entries, 'batch', 'sequences together, tokens/s'),
    ...contextLines(entries, report),
    ...loadLines(entries),
  ];
}

function speedLines(entries: readonly Entry[], report: Report): string[] {
  const prompts = sizesOf(entries, 'prefill');
  const hasDecode = entries.some((entry) => measurementOf(entry, 'decode') !== undefined);
  if (!hasDecode && prompts.length === 0) return [];
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
      ...[...nameOf(entry), range(decode), giga(bytesPerSecond)],
      percent(bytesPerSecond / (ceiling?.bytesPerSecond ?? Number.NaN)),
      ...prompts.flatMap((at) => {
        const prefill = measurementOf(entry, 'prefill', at);
        const flopsPerSecond = medianOf(prefill) * (entry.flopsPerToken + entry.flopsPerRow / at);
        const share = flopsPerSecond / (ceiling?.flopsPerSecond ?? Number.NaN);
        return [range(prefill), giga(flopsPerSecond), percent(share)];
      }),
      ...[entry.heldBytes === undefined ? '' : mega(entry.heldBytes), entry.adapter],
    ];
  });
  return alignedRows([heads, ...rows]);
}

/** Ours against each peer on as many threads. */
function ratioLines(entries: readonly Entry[]): string[] {
  const peers = entries.filter(({ isPeer }) => isPeer);
  const pairs = entries
    .filter(({ isPeer }) => !isPeer)
    .flatMap((own) => peers.filter(({ threads }) => threads === own.threads).map((peer) => [own, peer] as const));
  return pairs.map(([own, peer]) => {
    const ratios = own.measurements.flatMap((mine) => {
      const theirs = measurementOf(peer, mine.name, mine.at);
      if (mine.unit !== 'tokens/s' || theirs === undefined) return [];
      const name = mine.at === undefined ? mine.name : `${mine.name} ${mine.at}`;
      return [`${name} ${(medianOf(mine) / medianOf(theirs)).toFixed(2)} ×`];
    });
    return `${own.program} against ${peer.program}, ${counted(own.threads, 'thread')}: ${ratios.join(', ')}`;
  });
}

function timeLines(entries: readonly Entry[]): string[] {
  const prompts = sizesOf(entries, 'firstToken');
  const timed = entries.filter((entry) => measurementOf(entry, 'tokenTime') !== undefined || prompts.length > 0);
  if (timed.length === 0) return [];
  const heads = [...['program', 'threads', 'ms a token', 'p95'], ...prompts.map((at) => `first token after ${at}, ms`)];
  const rows = timed.map((entry) => {
    const times = measurementOf(entry, 'tokenTime');
    const firsts = prompts.map((at) => range(measurementOf(entry, 'firstToken', at)));
    return [...nameOf(entry), range(times), figure(medianOf(times, 0.95)), ...firsts];
  });
  return ['', ...alignedRows([heads, ...rows])];
}

/** One measurement at several sizes, a column each. */
function sizeLines(entries: readonly Entry[], name: MeasurementName, what: string): string[] {
  const sizes = sizesOf(entries, name);
  if (sizes.length === 0) return [];
  const measured = entries.filter(({ measurements }) => measurements.some((found) => found.name === name));
  const rows = measured.map((entry) => [...nameOf(entry), ...sizes.map((at) => range(measurementOf(entry, name, at)))]);
  return ['', what, ...alignedRows([['program', 'threads', ...sizes.map(String)], ...rows])];
}

function contextLines(entries: readonly Entry[], { baselines }: Report): string[] {
  const sizes = sizesOf(entries, 'context');
  const own = entries.filter(({ measurements }) => measurements.some(({ name }) => name === 'context'));
  const [first] = own;
  if (first === undefined) return [];
  const others = baselines.filter(({ model }) => model === first.model);
  const rows = own.map((entry) => [
    ...nameOf(entry),
    ...sizes.map((at) => figure(medianOf(measurementOf(entry, 'context', at)))),
  ]);
  const transformers = others.map(({ program, threads, costs }) => [
    ...[`a transformer on ${program}`, String(threads)],
    ...sizes.map((at) => figure(costs.find(({ context }) => context === at)?.milliseconds ?? Number.NaN)),
  ]);
  return [
    '',
    'ms a token, after a text of so many tokens',
    ...alignedRows([['program', 'threads', ...sizes.map(String)], ...rows, ...transformers]),
    ...own.flatMap(contextPlot),
  ];
}

/** Bars as long as a token takes, on a scale from 0: what is flat is seen to be. */
function contextPlot(entry: Entry): string[] {
  const points = entry.measurements.filter(({ name }) => name === 'context');
  const most = Math.max(...points.map((point) => medianOf(point)));
  const least = Math.min(...points.map((point) => medianOf(point)));
  const bars = points.map((point) => {
    const milliseconds = medianOf(point);
    return [String(point.at), '█'.repeat(Math.round((40 * milliseconds) / most)), `${figure(milliseconds)} ms`];
  });
  const spread = (100 * (most - least)) / (most + least);
  return ['', `${entry.program}: within ± ${spread.toFixed(1)} %`, ...alignedRows(bars)];
}

function loadLines(entries: readonly Entry[]): string[] {
  const loaded = entries.flatMap((entry) => {
    const load = entry.measurements.find(({ name }) => name === 'load');
    const read = measurementOf(entry, 'fileRead', load?.at);
    return load === undefined || read === undefined ? [] : [{ entry, load, read }];
  });
  if (loaded.length === 0) return [];
  const heads = [
    'program',
    'threads',
    'file MB',
    'load ms',
    'GB/s',
    'reading the file, GB/s',
    'of that',
    'peak MB',
    'before MB',
    'beyond the weights and that',
  ];
  const rows = loaded.map(({ entry, load, read }) => {
    const { at: bytes = 0 } = load;
    const [rate, most] = [bytes / medianOf(load), bytes / medianOf(read)].map((perMs) => perMs * 1000);
    const [peak, before] = [
      medianOf(measurementOf(entry, 'peakMemory')),
      medianOf(measurementOf(entry, 'memoryBefore')),
    ];
    return [
      ...[...nameOf(entry), mega(bytes), range(load), giga(rate ?? 0), giga(most ?? 0)],
      ...[percent((rate ?? 0) / (most ?? 0)), mega(peak), mega(before), mega(peak - before - entry.storedBytes)],
    ];
  });
  return ['', ...alignedRows([heads, ...rows])];
}

function qualityLines({ quality }: Report): string[] {
  const groups = Map.groupBy(quality, ({ model, program }) => `${model} on ${program}`);
  return [...groups].map(([name, rows]) => {
    const heads = [
      'weights',
      'KL(f32 ‖ it), nats',
      'largest',
      'perplexity',
      'of f32',
      'change',
      'same likeliest token',
    ];
    const cells = rows.map(({ weights, kl, worstKl, perplexity, exactPerplexity, sameLikeliest }) => [
      ...[weights, nats(kl), nats(worstKl), perplexity.toFixed(4), exactPerplexity.toFixed(4)],
      ...[`${(100 * (perplexity / exactPerplexity - 1)).toFixed(3)} %`, `${(100 * sameLikeliest).toFixed(1)} %`],
    ]);
    return [
      `${name}: quality over ${rows[0]?.tokens} tokens that it wrote in f32`,
      ...alignedRows([heads, ...cells]),
    ].join('\n');
  });
}

function nats(x: number): string {
  return x === 0 ? '0' : x.toExponential(1);
}

function nameOf({ program, threads }: Entry): string[] {
  return [program, String(threads)];
}

export function sizesOf(entries: readonly Entry[], name: Measurement['name']): number[] {
  const found = entries.flatMap(({ measurements }) => measurements.filter((measured) => measured.name === name));
  return [...new Set(found.flatMap(({ at }) => (at === undefined ? [] : [at])))].toSorted((a, b) => a - b);
}
