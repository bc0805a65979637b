import type { Backend } from '@receptance/core';
import { load, type Model } from '../../src/index.ts';
import { collect, take } from './collect.ts';
import { randomModel } from './models.ts';

/** What must hold of a model on any device that can be lost. */
export interface Loss {
  readonly backend: Backend;
  /** Makes the device that was opened last of no use. */
  lose(): Promise<void>;
}

const OPTIONS = { seed: 3, maxTokens: 12, sampling: { temperature: 0.9, presencePenalty: 0.4 } };

export interface Story {
  /** What a text that nothing happened to has, from where it was saved. */
  readonly undisturbed: readonly number[];
  /** The code of the error that a call ends with when the device is lost under it. */
  readonly code: string;
  /** What the text has from there on after recovering, and its length just after. */
  readonly recovered: readonly number[];
  readonly length: number;
  /** Lengths of a session that was never saved, and of one forked from that which was. */
  readonly others: readonly number[];
  /** The weights and their logits are the same. */
  readonly sameLogits: boolean;
}

/** A text is saved, goes on, loses its device in the middle of a generation, and is recovered. */
export async function loseAndRecover({ backend, lose }: Loss): Promise<Story> {
  const model = await load(new Blob([Uint8Array.from(randomModel())]), { backend, maxSequences: 3, chunk: 8 });
  const before = await model.logits([1, 2, 3]);
  const session = await model.session();
  await take(session.generate({ ...OPTIONS, prompt: [5, 6, 7], maxTokens: 4 }), 4);
  const saved = await session.save();
  const [never, fork] = [await model.session(), await session.fork()];
  await never.prefill([9, 9, 9]);
  const { tokens: undisturbed } = await collect(fork.generate(OPTIONS));
  await fork.prefill([1, 2]);

  const code = await brokenBy(lose, model, session);
  await model.recover();
  const others = [never.length, fork.length];
  const { length } = session;
  const { tokens: recovered } = await collect(session.generate(OPTIONS));
  if (length !== saved.length) throw new Error('the session is elsewhere than where it was saved');
  const after = await model.logits([1, 2, 3]);
  const sameLogits = before.data.every((logit, i) => logit === after.data[i]);
  await model.close();
  return { undisturbed, code, recovered, length, others, sameLogits };
}

type Sessions = Awaited<ReturnType<Model['session']>>;

async function brokenBy(lose: () => Promise<void>, model: Model, session: Sessions): Promise<string> {
  const generation = session.generate({ ...OPTIONS, maxTokens: 200, stepsPerRun: 4 });
  await generation.next();
  await lose();
  const error = await collect(generation).catch((reason: unknown) => reason);
  const other = await model.logits([1]).catch((reason: unknown) => reason);
  return [error, other].map(codeOf).join();
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'none';
}
