import { ReceptanceError } from '@receptance/core';
import type { Tokenizer } from '@receptance/tokenizer';

/** What goes into a model: text where it has a tokenizer, token ids always. */
export type Prompt = string | ArrayLike<number>;

export interface Vocabulary {
  readonly size: number;
  readonly tokenizer: Tokenizer | undefined;
}

/** Checked ids of a prompt. @throws ReceptanceError `BAD_OPTION`, `NO_TOKENIZER`, `TOKEN_OUT_OF_RANGE` */
export function tokensOf(prompt: Prompt, vocabulary: Vocabulary): number[] {
  if (typeof prompt !== 'string') {
    if (isArrayLike(prompt)) return checkTokens(Array.from(prompt), vocabulary.size);
    throw new ReceptanceError('BAD_OPTION', `the prompt is ${prompt === null ? 'null' : `of type ${typeof prompt}`}`, {
      hint: 'give text, or an array of token ids',
    });
  }
  const { tokenizer, size } = vocabulary;
  if (tokenizer === undefined) {
    throw new ReceptanceError('NO_TOKENIZER', `no tokenizer is known for this model of ${size} tokens`, {
      hint: 'give token ids in place of text, or a tokenizer when you load the model',
    });
  }
  return checkTokens(tokenizer.encode(prompt), size);
}

function isArrayLike(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'length' in value && Number.isSafeInteger(value.length);
}

/** @throws ReceptanceError `TOKEN_OUT_OF_RANGE` */
export function checkTokens(tokens: readonly number[], vocabularySize: number): number[] {
  const at = tokens.findIndex((token) => !Number.isInteger(token) || token < 0 || token >= vocabularySize);
  if (at < 0) return [...tokens];
  throw new ReceptanceError('TOKEN_OUT_OF_RANGE', `token ${tokens[at]} (number ${at + 1}) is not in the vocabulary`, {
    hint: `token ids of this model are whole numbers from 0 to ${vocabularySize - 1}`,
  });
}
