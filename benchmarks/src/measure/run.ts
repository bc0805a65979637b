import { ReceptanceError } from '@receptance/core';
import { currentLoad, machineCard } from '../machine.ts';
import type { Entry, Measurement, Report } from '../report/report.ts';
import { RooflineProbe } from '../roofline/roofline.ts';
import type { Settings } from './plan.ts';
import { Samples, takeSamples } from './samples.ts';
import { type Group, type OpenSubject, openSubject, subjectsOf, weightFigures } from './subject.ts';

/** Measures everything that the settings ask for. Programs of one model and weight type are measured in turns. */
export async function runBenchmarks(settings: Settings): Promise<Report> {
  const date = new Date().toISOString();
  const machine = machineCard();
  const groups = settings.models.flatMap((model) => settings.weights.map((weights): Group => ({ model, weights })));
  const probe = new RooflineProbe(Math.max(...settings.threads));
  const entries: Entry[] = [];
  const skipped: { id: string; reason: string }[] = [];
  try {
    await probe.ready();
    for (const group of groups) {
      await probe.probe(settings.threads);
      const measured = await measureGroup(group, settings, probe, skipped);
      entries.push(...measured);
    }
    await probe.probe(settings.threads);
    return {
      ...{ schema: 'receptance-benchmark/1', date, machine: { ...machine, loadAfter: currentLoad() } },
      ...{ roofline: probe.results, entries, skipped },
    };
  } finally {
    await probe.close();
  }
}

async function measureGroup(
  group: Group,
  settings: Settings,
  probe: RooflineProbe,
  skipped: { id: string; reason: string }[],
): Promise<Entry[]> {
  const { status, signal, repeats, threads } = settings;
  const subjects: OpenSubject[] = [];
  const name = `${group.model} ${group.weights ?? 'as stored'}`;
  try {
    for (const subject of subjectsOf(settings)) {
      signal.throwIfAborted();
      status(`${name}: loading ${subject.program}, ${subject.threads} threads`);
      const id = idOf(group, subject);
      try {
        const opened = await openSubject(subject, group, settings);
        const twin = subjects.some((other) => idOf(group, other) === idOf(group, opened));
        if (!twin) subjects.push(opened);
        else {
          await opened.runner.close();
          skipped.push({ id, reason: `runs on ${opened.threads} of ${subject.threads} threads` });
        }
      } catch (error) {
        if (!ReceptanceError.isInstance(error)) throw error;
        skipped.push({ id, reason: `${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}` });
      }
    }
    const samples = new Map(subjects.map((subject) => [subject, new Samples()]));
    // The first round warms up, and tells how long things take.
    for (let round = 0; round <= repeats; round++) {
      if (round > 0) await probe.probe(threads);
      // Each round begins with another program, so that none is always behind the same one.
      for (const subject of rotated(subjects, round)) {
        signal.throwIfAborted();
        status(`${name}: ${round === 0 ? 'warming up' : `round ${round} of ${repeats}`}, ${subject.program}`);
        await takeSamples(subject, samples.get(subject) ?? new Samples(), settings, round);
      }
    }
    const figures = await weightFigures(group, settings.seed);
    return subjects.map(
      (subject): Entry => entryOf(group, subject, figures, samples.get(subject)?.measurements() ?? []),
    );
  } finally {
    for (const { runner } of subjects) await runner.close();
  }
}

function entryOf(
  group: Group,
  subject: OpenSubject,
  figures: Awaited<ReturnType<typeof weightFigures>>,
  measurements: readonly Measurement[],
): Entry {
  const { program, isPeer, opened } = subject;
  const { adapter, threads, heldBytes, stateBytes } = opened;
  return {
    ...{ id: idOf(group, subject), model: group.model, weights: group.weights ?? 'stored', program, isPeer },
    ...{ adapter, threads, ...figures },
    ...(heldBytes === undefined ? {} : { heldBytes }),
    ...(stateBytes === undefined ? {} : { stateBytes }),
    measurements,
  };
}

function idOf(
  { model, weights }: Group,
  { program, threads }: { readonly program: string; readonly threads: number },
): string {
  return `${model}/${weights ?? 'stored'}/${program}/${threads}`;
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const first = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
