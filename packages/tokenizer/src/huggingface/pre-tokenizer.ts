type Step = Readonly<Record<string, unknown>>;

/** How byte-level BPE cuts a text into words, GPT-2's pattern, as tokenizers of Hugging Face read it. */
const WORDS = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

/**
 * The steps with the pattern of `ByteLevel` as a step of its own. Where it has none the library takes JavaScript's `\s`,
 * which holds U+FEFF and not U+0085, so that texts with these would be encoded in another way than in training; patterns
 * that are written out it translates.
 */
export function withWords(step: unknown): unknown {
  if (!isStep(step)) return step;
  if (step['type'] === 'Sequence' && Array.isArray(step['pretokenizers'])) {
    return { ...step, pretokenizers: step['pretokenizers'].map(withWords) };
  }
  if (step['type'] !== 'ByteLevel' || step['use_regex'] === false || step['add_prefix_space'] !== false) return step;
  const split = { type: 'Split', pattern: { Regex: WORDS }, behavior: 'Isolated', invert: false };
  return { type: 'Sequence', pretokenizers: [split, { ...step, use_regex: false }] };
}

function isStep(value: unknown): value is Step {
  return typeof value === 'object' && value !== null;
}
