import { ReceptanceError } from '@receptance/core';
import type { Tokenizer } from '@receptance/tokenizer';
import type { Model } from 'receptance';
import { type Command, columns, command } from '../command.ts';
import { readBytes } from '../files.ts';
import { loadModel, MODEL_OPTIONS } from '../model.ts';
import { badOption, COMMON, type Values } from '../options.ts';
import { parseTokens } from '../tokens.ts';

const options = {
  ...MODEL_OPTIONS,
  tokens: { value: 'IDS', help: 'token ids to read, 1,2,3 or @FILE with a JSON array' },
  text: { value: 'TEXT', help: 'text to read' },
  file: { value: 'FILE', help: 'text to read, UTF-8' },
  ...COMMON,
} as const;

export const perplexity: Command = command({
  name: 'perplexity',
  summary: 'Measures how well a model foresees a text: the mean loss of its tokens, given those before them.',
  usage: '[--model FILE] (--tokens IDS | --text TEXT | --file FILE)',
  options,
  examples: [
    ['perplexity --text "Once upon a time, there was a clever robin."', 'nats per token, perplexity, bits per byte'],
    ['perplexity --model model.gguf --file book.txt', 'of a long text; how far it is shows on a terminal'],
    ['perplexity --model model.pth --weights q4_0 --file book.txt', 'what holding the big matrices in 4 bits costs'],
    ['perplexity --model model.pth --tokens @ids.json --json', '{ "nll", "ppl", … } for programs'],
  ],
  async run(values, terminal) {
    const { prompt, isText } = await readSource(values);
    const { model, name, backend } = await loadModel(values, terminal);
    try {
      const tokens = typeof prompt === 'string' ? encoded(prompt, model) : [...prompt];
      const began = performance.now();
      const losses = await model.nll(tokens, { signal: terminal.signal, onProgress: terminal.onProgress });
      if (losses.length === 0) {
        throw new ReceptanceError('TEXT_TOO_SHORT', `${tokens.length} tokens leave none to foresee`, {
          hint: 'give at least two: the first is what the second is foreseen from',
        });
      }
      const sum = losses.reduce((total, loss) => total + loss, 0);
      const nll = sum / losses.length;
      const bytes = isText ? bytesOf(tokens.slice(1), model.tokenizer) : 0;
      const result = {
        ...{ model: name, backend, adapter: model.device.adapter, weights: values.text('weights') },
        ...{ nll, ppl: Math.exp(nll), tokens: tokens.length, predicted: losses.length },
        ...(bytes > 0 && { bytes, bitsPerByte: sum / Math.LN2 / bytes }),
        seconds: Math.round(performance.now() - began) / 1000,
      };
      if (terminal.json) terminal.writeJson(result);
      else terminal.write(describe(result));
      return 0;
    } finally {
      await model.close();
    }
  },
});

interface Result {
  readonly nll: number;
  readonly ppl: number;
  readonly predicted: number;
  readonly bytes?: number;
  readonly bitsPerByte?: number;
  readonly seconds: number;
}

function describe({ nll, ppl, predicted, bitsPerByte, seconds }: Result): string {
  const rows = [
    ['nll', `${nll.toFixed(4)} nats per token`],
    ['ppl', ppl.toPrecision(5)],
    ...(bitsPerByte === undefined ? [] : [['bits per byte', bitsPerByte.toFixed(4)]]),
    ['tokens', `${predicted} foreseen in ${seconds} s`],
  ];
  return `${columns(rows).join('\n')}\n`;
}

interface Source {
  readonly prompt: string | readonly number[];
  readonly isText: boolean;
}

async function readSource(values: Values<keyof typeof options>): Promise<Source> {
  const [tokens, text, file] = [values.text('tokens'), values.text('text'), values.text('file')];
  if ([tokens, text, file].filter((each) => each !== undefined).length !== 1) {
    throw badOption('it takes one text', 'give one of --tokens, --text and --file');
  }
  if (tokens !== undefined) return { prompt: await parseTokens(tokens), isText: false };
  return { prompt: text ?? (await readUtf8(file ?? '')), isText: true };
}

/** @throws ReceptanceError `FILE_NOT_FOUND`, `READ_FAILED`, `BAD_TEXT` */
async function readUtf8(path: string): Promise<string> {
  const bytes = await readBytes(path, 'give a file of text');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new ReceptanceError('BAD_TEXT', `${path} is not UTF-8`, { hint: 'convert it to UTF-8 first', cause });
  }
}

/** @throws ReceptanceError `NO_TOKENIZER` */
function encoded(text: string, { tokenizer, vocabularySize }: Model): number[] {
  if (tokenizer !== undefined) return tokenizer.encode(text);
  throw new ReceptanceError('NO_TOKENIZER', `no tokenizer is known for this model of ${vocabularySize} tokens`, {
    hint: 'give it with --tokenizer, or token ids with --tokens',
  });
}

function bytesOf(tokens: readonly number[], tokenizer: Tokenizer | undefined): number {
  return tokens.reduce((sum, token) => sum + (tokenizer?.bytes(token).length ?? 0), 0);
}
