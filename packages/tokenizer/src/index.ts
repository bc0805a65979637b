export { byteTokenizer } from './byte-tokenizer.ts';
export { type ChatMessage, chatPrompt, chatStop } from './chat.ts';
export { StreamingDecoder } from './streaming-decoder.ts';
export type { BytesTokenizer, Tokenizer } from './tokenizer.ts';
export {
  type VocabularyEntry,
  type WorldTokens,
  type WorldTokensOptions,
  worldTokenizer,
  worldTokenizerFromTokens,
  worldTokens,
} from './world-tokenizer.ts';
