import { ReceptanceError } from '@receptance/core';
import { readText } from './files.ts';
import { UsageError } from './usage-error.ts';

const HINT = 'give whole numbers, 0 or more, as 1,2,3 or as a JSON array in a file: @tokens.json';

/**
 * Token ids as an option gives them: `1,2,3`, or `@FILE` with a JSON array.
 * @throws UsageError `BAD_TOKENS`; ReceptanceError `BAD_TOKENS`, `FILE_NOT_FOUND`, `READ_FAILED` for a file,
 * `TOKEN_OUT_OF_RANGE` for an id below 0
 */
export async function parseTokens(option: string): Promise<number[]> {
  if (option.startsWith('@')) {
    const path = option.slice(1);
    return fromJson(
      path,
      await readText(path, 'give a file that holds a JSON array of token ids: --tokens @tokens.json'),
    );
  }
  if (option.trim() === '') return [];
  return option.split(',').map((item) => {
    if (/^\s*\d+\s*$/.test(item)) return Number(item);
    if (/^\s*-\d+\s*$/.test(item)) throw belowZero(item.trim());
    throw new UsageError('BAD_TOKENS', `"${item}" is no token id`, { hint: HINT });
  });
}

function fromJson(path: string, text: string): number[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badTokens(`${path} is not JSON`);
  }
  if (!Array.isArray(value)) throw badTokens(`${path} holds no array`);
  return value.map((item: unknown, i) => {
    if (typeof item === 'number' && Number.isSafeInteger(item) && item >= 0) return item;
    throw badTokens(`${path} holds ${JSON.stringify(item)?.slice(0, 40)} as number ${i + 1}, which is no token id`);
  });
}

function badTokens(message: string): ReceptanceError {
  return new ReceptanceError('BAD_TOKENS', message, { hint: HINT });
}

function belowZero(item: string): ReceptanceError {
  return new ReceptanceError('TOKEN_OUT_OF_RANGE', `token ${item} is not in any vocabulary`, { hint: HINT });
}
