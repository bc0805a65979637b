import { Random } from '@receptance/conformance';

/** A part of a document that follows from what stands before it. */
export interface Answer {
  /** Characters of the document, `[start, end)`. */
  readonly start: number;
  readonly end: number;
  /** Probability that a guess which knows the form, and nothing of what was said, is right. */
  readonly chance: number;
}

export interface Document {
  /** ASCII. */
  readonly text: string;
  readonly answers: readonly Answer[];
}

/** Something to be learned, as an endless stream of documents. */
export interface Task {
  readonly name: string;
  /** What is to be learned, for people. */
  readonly about: string;
  /** What `chance` is of. */
  readonly guess: string;
  /** The same seed gives the same documents. @param bytes about as many will be read */
  documents(seed: number, bytes: number): Iterable<Document>;
}

/** Documents drawn by a function one after the other, from a stream of numbers that the seed decides. */
export function drawn(draw: (random: Random) => Document): Task['documents'] {
  return function* (seed) {
    const random = new Random(String(seed));
    for (;;) yield draw(random);
  };
}

/** `count` different ones of the characters, in drawn order. */
export function distinct(random: Random, characters: string, count: number): string[] {
  const left = [...characters];
  return Array.from({ length: count }, () => left.splice(random.integer(left.length), 1).join(''));
}
