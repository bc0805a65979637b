import type { Roofline } from '../roofline/roofline.ts';
import type { InstructionTime } from '../training/instruction-times.ts';
import { alignedRows, counted, figure, giga, percent } from './text.ts';

/** Instructions below this share of the whole are left out. */
const LEAST = 0.004;

/** Where the time of a program goes: by kind of instruction, and by its sizes. */
export function instructionLines(times: readonly InstructionTime[], ceiling: Roofline | undefined): string[] {
  const spent = ({ runs, milliseconds }: InstructionTime): number => runs * milliseconds;
  const total = (some: readonly InstructionTime[]): number => some.reduce((sum, time) => sum + spent(time), 0);
  const whole = total(times);
  const kinds = [...Map.groupBy(times, ({ instruction }) => instruction)]
    .map(([name, some]) => ({ name, milliseconds: total(some) }))
    .toSorted((a, b) => b.milliseconds - a.milliseconds)
    .filter(({ milliseconds }) => milliseconds >= LEAST * whole)
    .map(({ name, milliseconds }) => `${name} ${percent(milliseconds / whole)}`);
  const largest = times.toSorted((a, b) => spent(b) - spent(a)).filter((time) => spent(time) >= LEAST * whole);
  const heads = ['ms', 'of all', 'runs', 'GFLOP/s', 'of peak', 'GB/s', 'instruction'];
  const rows = largest.map((time) => {
    const { instruction, sizes, runs, milliseconds, flops, bytes } = time;
    const perSecond = (amount: number): number => (amount === 0 ? Number.NaN : (1000 * amount) / milliseconds);
    return [
      ...[figure(spent(time)), percent(spent(time) / whole), String(runs), giga(perSecond(flops))],
      ...[percent(perSecond(flops) / (ceiling?.flopsPerSecond ?? Number.NaN)), giga(perSecond(bytes))],
      `${instruction} ${sizes}`,
    ];
  });
  const counts = counted(
    times.reduce((sum, { runs }) => sum + runs, 0),
    'instruction',
  );
  const peak = `multiply-add ${giga(ceiling?.flopsPerSecond ?? Number.NaN)} GFLOP/s`;
  return [
    `a step on one thread: ${counts}, ${figure(whole)} ms as the quickest of each take; ${peak}`,
    kinds.join(', '),
    ...alignedRows([heads, ...rows]),
  ];
}
