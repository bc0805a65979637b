import { ReceptanceError } from '@receptance/core';
import { currentLoad, machineCard } from '../machine.ts';
import { type WeightFigures, weightFigures } from '../models/figures.ts';
import { heldAs } from '../models/held-as.ts';
import { openModel } from '../models/source.ts';
import type { BaselineReport, Entry, OpReport, QualityReport, Report } from '../report/report.ts';
import { RooflineProbe } from '../roofline/roofline.ts';
import { type Job, WEIGHT_NAMES } from '../runner/protocol.ts';
import { type RemoteRunner, startOwnRunner } from '../runner/spawn.ts';
import { entryOf, idOf, reported } from './entry.ts';
import { hasFile, takeLoads } from './load.ts';
import type { Plan, Settings, Surroundings } from './plan.ts';
import { takeContexts, takeRound, warmUp } from './rounds.ts';
import { Samples } from './samples.ts';
import { type Group, type OpenSubject, openSubject, type Subject, subjectsOf } from './subject.ts';

/** What has been measured so far, in the order of the report. */
interface Results {
  readonly entries: Entry[];
  readonly ops: OpReport[];
  readonly baselines: BaselineReport[];
  readonly quality: QualityReport[];
  readonly skipped: { readonly id: string; readonly reason: string }[];
}

/** Tokens of the text that quality is measured on; logits of all of them are held at once. */
const QUALITY_TOKENS = 256;
/** Steps timed of the transformer at each length. */
const BASELINE_TOKENS = 4;

/** Measures everything that the plans ask for. Programs of one model and weight type are measured in turns. */
export async function runBenchmarks(plans: readonly Plan[], surroundings: Surroundings): Promise<Report> {
  const date = new Date().toISOString();
  const machine = machineCard();
  const results: Results = { entries: [], ops: [], baselines: [], quality: [], skipped: [] };
  const threads = [...new Set(plans.flatMap((plan) => plan.threads))];
  const probe = new RooflineProbe(Math.max(...threads));
  try {
    await probe.ready();
    await probe.probe(threads);
    for (const plan of plans) {
      const settings = { ...plan, ...surroundings };
      for (const model of plan.models) {
        const measured: Subject[] = [];
        for (const weights of plan.weights) {
          measured.push(...(await measureGroup({ model, weights }, settings, probe, results)));
        }
        await studyModel(model, measured, settings, results);
      }
    }
    await probe.probe(threads);
    return {
      ...{ schema: 'receptance-benchmark/1', date, machine: { ...machine, loadAfter: currentLoad() } },
      ...{ roofline: probe.results, ...results },
    };
  } finally {
    await probe.close();
  }
}

/** @returns the programs that could be measured */
async function measureGroup(
  group: Group,
  settings: Settings,
  probe: RooflineProbe,
  results: Results,
): Promise<readonly Subject[]> {
  const { status, signal, repeats, threads, measures } = settings;
  const name = `${group.model} ${group.weights ?? 'as stored'}`;
  const subjects = await openSubjects(group, settings, results);
  const samples = new Map(subjects.map((subject) => [subject, new Samples()]));
  const each = async (order: readonly OpenSubject[], what: string, work: typeof takeRound): Promise<void> => {
    for (const subject of order) {
      signal.throwIfAborted();
      status(`${name}: ${subject.program} ${subject.threads}, ${what}`);
      await work(subject, samples.get(subject) ?? new Samples(), settings);
    }
  };
  try {
    await each(subjects, 'warming up', warmUp);
    for (let round = 0; round < repeats; round++) {
      await probe.probe(threads);
      // Each round begins with another program, so that none is always behind the same one.
      await each(rotated(subjects, round), `round ${round + 1} of ${repeats}`, takeRound);
    }
    if (measures.has('context')) await each(subjects, 'contexts', takeContexts);
  } finally {
    for (const { runner } of subjects) await runner.close();
  }
  if (measures.has('load')) {
    for (const subject of subjects.filter((each) => hasFile(group, each))) {
      status(`${name}: ${subject.program} ${subject.threads}, loading files`);
      await takeLoads(subject, group, samples.get(subject) ?? new Samples(), settings);
    }
  }
  const figures = await groupFigures(group, settings);
  for (const subject of subjects) {
    const own = samples.get(subject);
    addEntry(results.entries, entryOf(group, subject, figures, own));
    for (const reason of own?.leftOut ?? []) results.skipped.push({ id: idOf(group, subject), reason });
  }
  if (measures.has('ops')) await studyOps(group, subjects, settings, results);
  return subjects;
}

async function groupFigures({ model, weights }: Group, { seed }: Settings): Promise<WeightFigures> {
  const { source, close } = await openModel(model, seed);
  await close();
  return weightFigures(heldAs(source, weights));
}

/** What several plans measure of one program and model is one entry. */
function addEntry(entries: Entry[], entry: Entry): void {
  const at = entries.findIndex(({ id }) => id === entry.id);
  const known = entries[at];
  if (known === undefined) entries.push(entry);
  else entries[at] = { ...known, measurements: [...known.measurements, ...entry.measurements] };
}

async function openSubjects(group: Group, settings: Settings, results: Results): Promise<OpenSubject[]> {
  const subjects: OpenSubject[] = [];
  const skip = (subject: Subject, reason: string): void => {
    results.skipped.push({ id: idOf(group, subject), reason });
  };
  for (const subject of subjectsOf(settings)) {
    settings.signal.throwIfAborted();
    settings.status(`${group.model}: loading into ${subject.program}, ${subject.threads} threads`);
    try {
      const opened = await openSubject(subject, group, settings);
      const isTwin = subjects.some((other) => idOf(group, other) === idOf(group, opened));
      if (!isTwin) subjects.push(opened);
      else {
        await opened.runner.close();
        skip(subject, `runs on ${opened.threads} of ${subject.threads} threads`);
      }
    } catch (error) {
      if (!ReceptanceError.isInstance(error)) throw error;
      skip(subject, `${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}`);
    }
  }
  return subjects;
}

async function studyOps(
  group: Group,
  subjects: readonly OpenSubject[],
  settings: Settings,
  results: Results,
): Promise<void> {
  for (const subject of subjects.filter(({ isPeer }) => !isPeer)) {
    for (const tokens of [1, Math.max(...settings.prompts)]) {
      settings.status(`${group.model}: ops of ${subject.program}, ${tokens} tokens`);
      const times = await study(settings, (runner) =>
        runner.ask('ops', { job: jobOf(group, subject, settings), tokens }),
      );
      results.ops.push({ ...reported(group, subject), ...times });
    }
  }
}

/** What is asked of each backend once for a model, whatever the weights of the other measurements. */
async function studyModel(
  model: string,
  measured: readonly Subject[],
  settings: Settings,
  results: Results,
): Promise<void> {
  const { measures, contexts, signal, status } = settings;
  const group: Group = { model, weights: 'f32' };
  const own = measured.filter(({ isPeer }) => !isPeer);
  const unique = new Map(own.map((subject) => [`${subject.program} ${subject.threads}`, subject]));
  for (const subject of unique.values()) {
    signal.throwIfAborted();
    const { program } = subject;
    const job = jobOf(group, subject, settings);
    if (measures.has('context')) {
      status(`${model}: a transformer of its size on ${program}`);
      const costs = await study(settings, (runner) =>
        runner.ask('transformer', { job, contexts, tokens: BASELINE_TOKENS }),
      );
      results.baselines.push({ ...reported(group, subject), costs });
    }
    if (measures.has('quality')) {
      status(`${model}: quality of weight types on ${program}`);
      const types = WEIGHT_NAMES.filter((type) => type !== 'f32');
      const figures = await study(settings, (runner) => runner.ask('quality', { job, types, tokens: QUALITY_TOKENS }));
      results.quality.push(...figures.map((figure) => ({ ...reported(group, subject), ...figure })));
    }
  }
}

/** In a process of its own, so that the memory of what was measured before is free again. */
async function study<T>({ signal }: Settings, work: (runner: RemoteRunner) => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const runner = startOwnRunner();
  try {
    return await work(runner);
  } finally {
    await runner.close();
  }
}

function jobOf({ model, weights }: Group, { program, threads }: Subject, { seed }: Settings): Job {
  return { model, weights, seed, backend: program, threads, maxSequences: 1 };
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const first = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
