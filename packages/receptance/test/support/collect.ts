import type { Finish, Piece } from '../../src/index.ts';

export interface Collected {
  readonly tokens: readonly number[];
  readonly texts: readonly string[];
  readonly text: string;
  readonly finish: Finish;
}

/** Takes all of a generation. */
export async function collect(generation: AsyncGenerator<Piece, Finish, void>): Promise<Collected> {
  const pieces: Piece[] = [];
  for (;;) {
    const { value, done } = await generation.next();
    if (done) {
      const texts = pieces.map(({ text }) => text);
      return { tokens: pieces.map(({ token }) => token), texts, text: texts.join(''), finish: value };
    }
    pieces.push(value);
  }
}

/** Takes the tokens of the first `count` pieces and leaves. */
export async function take(generation: AsyncGenerator<Piece, Finish, void>, count: number): Promise<number[]> {
  const tokens: number[] = [];
  if (count === 0) return tokens;
  for await (const { token } of generation) {
    tokens.push(token);
    if (tokens.length === count) break;
  }
  return tokens;
}
