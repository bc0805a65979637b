export { byteTokenizer } from './byte-tokenizer.ts';
export { type ChatMessage, chatPrompt, chatStop } from './chat.ts';
export { StreamingDecoder } from './streaming-decoder.ts';
export type { BytesTokenizer, Tokenizer } from './tokenizer.ts';
export {
  type VocabularyEntry,
  type WorldTokensOptions,
  worldTokenizer,
  worldTokenizerFromTokens,
} from './world-tokenizer.ts';
