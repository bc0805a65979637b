import type { GenerateOptions } from './generate-options.ts';
import type { Finish, Session } from './session.ts';
import type { Prompt } from './tokens.ts';

/** Text `i` is drawn by `seed + i`, so that one prompt given several times has several continuations. */
export type BatchOptions = Omit<GenerateOptions, 'prompt'>;

export interface Completion {
  readonly text: string;
  readonly tokens: readonly number[];
  readonly finish: Finish;
}

/**
 * @param open makes a session. Each is used for one text after another and then closed: what is free at the beginning stays
 * the batch's own
 * @param free how many can be open at a time
 */
export async function generateBatch(
  open: () => Promise<Session>,
  free: number,
  prompts: readonly Prompt[],
  { seed, ...options }: BatchOptions & Pick<Required<BatchOptions>, 'stopTokens'>,
): Promise<Completion[]> {
  const completions: Completion[] = [];
  let next = 0;
  let failed = false;
  const work = async (): Promise<void> => {
    const session = await open();
    try {
      const empty = await session.save();
      while (next < prompts.length && !failed) {
        const i = next++;
        if (session.length > 0) await session.restore(empty);
        const each = { ...options, prompt: prompts[i] ?? [], ...(seed !== undefined && { seed: seed + i }) };
        completions[i] = await complete(session, each, () => failed);
      }
    } finally {
      await session.close();
    }
  };
  const workers = Array.from({ length: Math.min(prompts.length, Math.max(1, free)) }, () =>
    work().catch((error: unknown) => {
      failed = true;
      throw error;
    }),
  );
  // All have come to an end, and closed their sessions, before an error is thrown.
  const ended = await Promise.allSettled(workers);
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
  return completions;
}

async function complete(session: Session, options: GenerateOptions, failed: () => boolean): Promise<Completion> {
  const tokens: number[] = [];
  let text = '';
  const pieces = session.generate(options);
  for (;;) {
    const { value, done } = await pieces.next();
    if (done) return { text, tokens, finish: value };
    if (failed()) await pieces.return('length');
    // A stop token that comes with the last text is not part of it.
    if (options.stopTokens?.includes(value.token) !== true) tokens.push(value.token);
    text += value.text;
  }
}
