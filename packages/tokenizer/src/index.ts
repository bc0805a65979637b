export { byteTokenizer } from './byte-tokenizer.ts';
export { StreamingDecoder } from './streaming-decoder.ts';
export type { Tokenizer } from './tokenizer.ts';
