import { ReceptanceError } from '@receptance/core';

/** @throws ReceptanceError `TOKEN_OUT_OF_RANGE` */
export function checkToken(id: number, vocabularySize: number): void {
  if (Number.isInteger(id) && id >= 0 && id < vocabularySize) return;
  throw new ReceptanceError('TOKEN_OUT_OF_RANGE', `${id} is no token of a vocabulary of ${vocabularySize}`, {
    hint: `ids are whole numbers from 0 to ${vocabularySize - 1}; check that the model and the tokenizer belong together`,
  });
}

export function badVocabulary(
  message: string,
  hint = 'give the text of the official file, rwkv_vocab_v20230424.txt, as it is published',
): ReceptanceError {
  return new ReceptanceError('BAD_VOCABULARY', message, { hint });
}
