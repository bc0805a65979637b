import type { Model } from '../../packages/receptance/src/index.ts';
import { logProbability } from '../../packages/receptance/src/log-probability.ts';

/** Documents that are looked through for answers. */
const ANSWERED = 1500;

/** What is right in one way only, given the text before it: the group is the answer. */
const ANSWERS = {
  'sums in a sheet': /[+-] \d+ =( \d+)(?=\n|$)/g,
  'final counts': /(?:Now \w+ has|have now\? \w+ has|counted them:|Together they have|into a \w+:)( \d+)(?= )/g,
  'counts said twice': /How many does \w+ have\? \w+ has( \d+)(?=\.)/g,
  'places of hidden things': /(?:Where is the \w+\?|And the \w+\?) It is in the( \w+)(?=\.)/g,
  toys: /(?:Thank you for the|I lost my|Help me find my)( \w+)(?=,)/g,
  wishes: /(?:[cC]ould|I can)( \w+)(?=!|\.| \w+ly\.)/g,
  animals: /(?:said the|and the)( \w+)(?=\.| were| \w+ around)/g,
  names: /(?:"Thank you(?: for the \w+)?,|"Look,|From that day on, \w+ and)( \w+)(?=!|,| were)/g,
} as const;

type Answer = keyof typeof ANSWERS;

/** A document that was read: what each of its tokens cost, and which the model had foreseen. */
interface Read {
  /** Bits, with those of the end. */
  readonly bits: number;
  /** `foreseen[i]`: whether byte `i` belongs to a token that was the likeliest. */
  readonly foreseen: readonly boolean[];
}

/** Bits per byte; the byte that ends a document counts. */
export interface Bits {
  readonly all: number;
  readonly stories: number;
  readonly sums: number;
}

export interface Measured {
  readonly heldOut: Bits;
  /** Of the answers of each kind, the part all of whose tokens were the model's first choice. */
  readonly firstChoiceRight: Readonly<Record<Answer | 'sums alone', number>>;
}

/** Reads held-out documents, each by itself after an end of text. */
export async function evaluate(model: Model, documents: readonly string[]): Promise<Measured> {
  const spent = { stories: { bits: 0, bytes: 0 }, sums: { bits: 0, bytes: 0 } };
  const right: Record<string, number> = {};
  const seen: Record<string, number> = {};
  for (const [i, text] of documents.entries()) {
    const { bits, foreseen } = await read(model, text);
    const kind = spent[isSums(text) ? 'sums' : 'stories'];
    kind.bits += bits;
    kind.bytes += text.length + 1;
    if (i >= ANSWERED) continue;
    for (const { name, from, to } of answersIn(text)) {
      seen[name] = (seen[name] ?? 0) + 1;
      right[name] = (right[name] ?? 0) + Number(foreseen.slice(from, to).every(Boolean));
    }
  }
  const { stories, sums } = spent;
  const shares = Object.keys(ANSWERS).map((name) => [name, rounded((right[name] ?? 0) / (seen[name] ?? 1), 4)]);
  return {
    heldOut: {
      all: rounded((stories.bits + sums.bits) / (stories.bytes + sums.bytes)),
      stories: rounded(stories.bits / stories.bytes),
      sums: rounded(sums.bits / sums.bytes),
    },
    firstChoiceRight: { ...Object.fromEntries(shares), 'sums alone': await sumsAlone(model) },
  };
}

/** Sheets of sums, not stories. */
export function isSums(text: string): boolean {
  return text.includes(' = ');
}

/** The documents of the generator are ASCII: a character is a byte. */
async function read(model: Model, text: string): Promise<Read> {
  const { tokenizer } = model;
  if (tokenizer?.endOfText === undefined) throw new Error('the model has no end of text');
  const tokens = [tokenizer.endOfText, ...tokenizer.encode(text), tokenizer.endOfText];
  const { data, vocabularySize } = await model.logits(tokens.slice(0, -1));
  let bits = 0;
  const foreseen: boolean[] = [];
  for (const [i, token] of tokens.slice(1).entries()) {
    const row = data.subarray(i * vocabularySize, (i + 1) * vocabularySize);
    const logit = row[token] ?? Number.NaN;
    bits -= logProbability(row, token) / Math.LN2;
    const isLikeliest = row.every((other) => other <= logit);
    if (i < tokens.length - 2) for (const _ of tokenizer.bytes(token)) foreseen.push(isLikeliest);
  }
  return { bits, foreseen };
}

function answersIn(text: string): { name: string; from: number; to: number }[] {
  return Object.entries(ANSWERS).flatMap(([name, pattern]) =>
    Array.from(text.matchAll(pattern), ({ 0: all, 1: answer = '', index }) => {
      const to = index + all.length;
      return { name, from: to - answer.length, to };
    }),
  );
}

/** Of all sums of a number below 100 and one of seven others: "27 + 15 =" at the beginning of a text, continued greedily. */
async function sumsAlone(model: Model): Promise<number> {
  const pairs = Array.from({ length: 700 }, (_, i) => [i % 100, (37 * i + 11) % 100] as const);
  const prompts = pairs.map(([a, b]) => `${a} + ${b} =`);
  const made = await model.generateBatch(
    prompts.map((text) => tokensAfterEnd(model, text)),
    {
      ...{ greedy: true, maxTokens: 6, stop: ['\n'] },
    },
  );
  const right = made.filter(({ text }, i) => Number(text) === (pairs[i]?.[0] ?? 0) + (pairs[i]?.[1] ?? 0));
  return rounded(right.length / pairs.length, 4);
}

/** A text as documents begin. */
export function tokensAfterEnd({ tokenizer }: Model, text: string): number[] {
  return [tokenizer?.endOfText ?? 0, ...(tokenizer?.encode(text) ?? [])];
}

function rounded(value: number, digits = 5): number {
  return Number(value.toFixed(digits));
}
