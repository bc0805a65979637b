import { ReceptanceError } from '@receptance/core';
import { type Tokenizer, worldTokenizer } from '@receptance/tokenizer';
import { text } from '../text.ts';

/** Larger than any vocabulary there is. */
const MOST_BYTES = 64 << 20;

/**
 * The tokenizer of a vocabulary file: `tokenizer.json` of Hugging Face, or the World vocabulary.
 * @throws ReceptanceError `BAD_TOKENIZER`, `BAD_VOCABULARY`, `TOKENIZER_UNSUPPORTED`
 */
export async function readTokenizer(file: File): Promise<Tokenizer> {
  if (file.size > MOST_BYTES) {
    throw new ReceptanceError('BAD_VOCABULARY', text.errors.vocabularySize(file.name), {
      hint: text.errors.vocabularyHint,
    });
  }
  const content = await file.text();
  if (!file.name.endsWith('.json')) return worldTokenizer(content);
  const { huggingFaceTokenizer } = await import('@receptance/tokenizer/huggingface');
  return huggingFaceTokenizer(content);
}
