import { openCheckpointFile } from '@receptance/checkpoint/node';
import { storiesModel } from '@receptance/model-stories';
import { type Tokenizer, worldTokenizerFromTokens } from '@receptance/tokenizer';

/** That which the bundled model brings along. */
export async function storiesTokenizer(): Promise<Tokenizer> {
  const checkpoint = await openCheckpointFile(storiesModel);
  const { vocabulary } = checkpoint;
  await checkpoint.close();
  if (vocabulary?.model !== 'rwkv') throw new Error('the bundled model has no World vocabulary');
  return worldTokenizerFromTokens(vocabulary.tokens, vocabulary);
}
