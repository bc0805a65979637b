import { ReceptanceError } from '@receptance/core';
import { readText } from './files.ts';

/**
 * Token ids as an option gives them: `1,2,3`, or `@FILE` with a JSON array.
 * @throws ReceptanceError `BAD_TOKENS`, `FILE_NOT_FOUND`, `READ_FAILED`
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
    throw badTokens(`"${item}" is no token id`);
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
  return new ReceptanceError('BAD_TOKENS', message, {
    hint: 'give whole numbers, 0 or more, as 1,2,3 or as a JSON array in a file: @tokens.json',
  });
}
