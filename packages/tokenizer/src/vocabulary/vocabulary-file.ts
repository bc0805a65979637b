import { badVocabulary } from '../errors.ts';
import { LONGEST_ENTRY, VocabularyBuilder } from './packed.ts';
import { PythonLiteral } from './python-literal.ts';

/**
 * Reads the official vocabulary file: in every line `<id> <Python string or bytes literal> <length in bytes>`.
 * @throws ReceptanceError `BAD_VOCABULARY`, naming the line
 */
export function parseVocabulary(text: string): VocabularyBuilder {
  const builder = new VocabularyBuilder('line ');
  let line = 0;
  const fail = (reason: string) => badVocabulary(`line ${line} of the vocabulary: ${reason}`);
  const literal = new PythonLiteral(new Uint8Array(LONGEST_ENTRY), (reason) => fail(`the token ${reason}`));
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const next = newline < 0 ? text.length : newline + 1;
    const end = lineEnd(text, start, newline < 0 ? text.length : newline);
    line++;
    const afterId = text.indexOf(' ', start);
    const beforeLength = text.lastIndexOf(' ', end - 1);
    if (afterId < 0 || beforeLength <= afterId) throw fail('not of the form <id> <Python literal> <length in bytes>');
    const id = wholeNumber(text, start, afterId);
    const length = wholeNumber(text, beforeLength + 1, end);
    if (id === undefined || id === 0) throw fail('it does not begin with a token id, 1 or more');
    if (length === undefined) throw fail('it does not end with the length of the token');
    const bytes = literal.read(text, afterId + 1, beforeLength);
    if (bytes.length !== length) throw fail(`the token has ${bytes.length} bytes where the line says ${length}`);
    builder.add(id, bytes, line);
    start = next;
  }
  if (line === 0) throw badVocabulary('the vocabulary is empty');
  return builder;
}

function lineEnd(text: string, start: number, end: number): number {
  return end > start && text.charAt(end - 1) === '\r' ? end - 1 : end;
}

/** Of at most nine digits and nothing else. */
function wholeNumber(text: string, start: number, end: number): number | undefined {
  if (end - start > 9) return undefined;
  const digits = text.slice(start, end);
  return /^[0-9]+$/.test(digits) ? Number(digits) : undefined;
}
