import { BYTE_CHARACTERS } from '../../src/huggingface/token-bytes.ts';

const utf8 = new TextEncoder();
const spell = (text: string) => Array.from(utf8.encode(text), (byte) => BYTE_CHARACTERS[byte]).join('');

function merged(merges: readonly (readonly [string, string])[]): string[] {
  return merges.map(([left, right]) => left + right);
}

function byId(tokens: readonly string[]): Record<string, number> {
  return Object.fromEntries(tokens.map((token, id) => [token, id]));
}

const special = (id: number, content: string, isSpecial = true) => {
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: !isSpecial };
  return { id, content, ...flags, special: isSpecial };
};

/** Of the kind of RWKV-4's Pile models: the bytes of UTF-8, a few merges, runs of blanks as added tokens. */
export function byteLevel() {
  const alphabet = BYTE_CHARACTERS.filter((_, byte) => byte < 0xf5 && byte !== 0xc0 && byte !== 0xc1);
  const pairs: [string, string][] = [
    ['t', 'h'],
    ['th', 'e'],
    ['Ġ', 'the'],
    ['Ġ', 'Ġ'],
    ['Ã', '©'],
    [spell('字').slice(0, 1), spell('字').slice(1, 2)],
    ['Ċ', 'Ċ'],
    ['i', 't'],
  ];
  const tokens = ['<|endoftext|>', '<|padding|>', ...alphabet, ...merged(pairs)];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [
      special(0, '<|endoftext|>'),
      special(1, '<|padding|>'),
      special(tokens.length, '    ', false),
      special(tokens.length + 1, '<字>', false),
    ],
    normalizer: { type: 'NFC' },
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: byId(tokens),
      merges: pairs.map((pair) => pair.join(' ')),
    },
  };
}

/** Of the kind that SentencePiece's models are turned into. */
export function byteFallback() {
  const bytes = Array.from({ length: 256 }, (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, '0')}>`);
  const pairs: [string, string][] = [
    ['t', 'h'],
    ['th', 'e'],
    ['▁', 'the'],
    ['▁', '▁'],
  ];
  const tokens = ['<unk>', '<s>', '</s>', ...bytes, '▁', 't', 'h', 'e', 'a', '字', ...merged(pairs)];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [special(0, '<unk>'), special(1, '<s>'), special(2, '</s>')],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: '<unk>',
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: byId(tokens),
      merges: pairs,
    },
  };
}
