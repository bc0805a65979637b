import type { Model } from '../../packages/receptance/src/index.ts';
import { tokensAfterEnd } from './evaluate.ts';

const COUNT = 20;

/**
 * A page of documents that a model makes, as they come.
 * @param known tells whether a document stands in the training corpus: one that does is an error
 */
export async function samplesPage(model: Model, known: ReadonlySet<string>, seed = 1): Promise<string> {
  const prompts = Array.from({ length: COUNT }, () => tokensAfterEnd(model, ''));
  const made = await model.generateBatch(prompts, { maxTokens: 600, seed });
  const copied = made.find(({ text }) => known.has(text));
  if (copied !== undefined) throw new Error(`a sample stands in the training corpus: ${copied.text}`);
  const about = [
    `${COUNT} documents by the model in \`packages/model-stories\`, none picked, none mended: seeds ${seed} to ${seed + COUNT - 1}, temperature 1,`,
    `each begun from an end of text. None of them stands among the ${known.size} documents of the training corpus.`,
  ];
  const samples = made.flatMap(({ text }, i) => ['', `## ${i + 1}`, '', ...quoted(text)]);
  return `${['# Samples', '', ...about, ...samples].join('\n')}\n`;
}

/** Lines of Markdown; two spaces at the end of one keep it apart from the next. */
function quoted(text: string): string[] {
  const lines = text.split('\n');
  return lines.map((line, i) => (i < lines.length - 1 ? `> ${line}  ` : `> ${line}`));
}
