import { weightsFile } from '../models/files.ts';
import { peerNamed, startPeer } from '../peers/peers.ts';
import { backendEntry } from '../runner/backends.ts';
import type { Opened, WeightName } from '../runner/protocol.ts';
import { type RemoteRunner, startOwnRunner } from '../runner/spawn.ts';
import type { Settings } from './plan.ts';

/** A program that is to be measured on one model and weight type. */
export interface Subject {
  readonly program: string;
  readonly isPeer: boolean;
  readonly threads: number;
}

export interface OpenSubject extends Subject {
  readonly runner: RemoteRunner;
  readonly opened: Opened;
}

export interface Group {
  readonly model: string;
  readonly weights: WeightName | undefined;
}

/** What is measured in turns: each backend and peer with each number of threads that it can be given. */
export function subjectsOf({ backends, peers, threads }: Settings): Subject[] {
  const own = backends.flatMap((program) =>
    (backendEntry(program).threads ? threads : [1]).map((count) => ({ program, isPeer: false, threads: count })),
  );
  return [...own, ...peers.flatMap((program) => threads.map((count) => ({ program, isPeer: true, threads: count })))];
}

/** @throws ReceptanceError why the program cannot run the model here; nothing is left running then */
export async function openSubject(subject: Subject, group: Group, settings: Settings): Promise<OpenSubject> {
  const { seed, cache, peersFolder, sequences } = settings;
  const { program, threads, isPeer } = subject;
  const { format } = isPeer ? peerNamed(program) : { format: 'gguf' as const };
  const weights = group.weights ?? 'f32';
  const model = isPeer ? await weightsFile({ model: group.model, seed, weights, format, folder: cache }) : group.model;
  const runner = isPeer ? startPeer(program, peersFolder) : startOwnRunner();
  try {
    const maxSequences = Math.max(1, ...sequences);
    const job = { model, seed, weights: group.weights, backend: program, threads, maxSequences };
    const opened = await runner.ask('open', job);
    return { ...subject, threads: opened.threads, runner, opened };
  } catch (error) {
    await runner.close();
    throw error;
  }
}
