import { ReceptanceError } from '@receptance/core';
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
  file: { value: 'FILE', help: 'text to read, UTF-8; of a .jsonl each line is a text, and its end counts as a byte' },
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
    [
      'perplexity --file stories.jsonl',
      'of many texts, each after the end of the one before: comparable across tokenizers',
    ],
    ['perplexity --model model.pth --weights q4_0 --file book.txt', 'what holding the big matrices in 4 bits costs'],
    ['perplexity --model model.pth --tokens @ids.json --json', '{ "nll", "ppl", … } for programs'],
  ],
  async run(values, terminal) {
    const source = await readSource(values);
    const { model, name, backend } = await loadModel(values, terminal);
    try {
      const { tokens, bytes } = readingOf(source, model);
      const began = performance.now();
      const losses = await model.nll(tokens, { signal: terminal.signal, onProgress: terminal.onProgress });
      if (losses.length === 0) {
        throw new ReceptanceError('TEXT_TOO_SHORT', `${tokens.length} tokens leave none to foresee`, {
          hint: 'give at least two: the first is what the second is foreseen from',
        });
      }
      const sum = losses.reduce((total, loss) => total + loss, 0);
      const nll = sum / losses.length;
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

/** One text, token ids, or texts each of which ends. */
type Source = string | { readonly ids: readonly number[] } | { readonly documents: readonly string[] };

async function readSource(values: Values<keyof typeof options>): Promise<Source> {
  const [tokens, text, file] = [values.text('tokens'), values.text('text'), values.text('file')];
  if ([tokens, text, file].filter((each) => each !== undefined).length !== 1) {
    throw badOption('it takes one text', 'give one of --tokens, --text and --file');
  }
  if (tokens !== undefined) return { ids: await parseTokens(tokens) };
  if (file === undefined) return text ?? '';
  return /\.jsonl$/i.test(file) ? { documents: await readDocuments(file) } : readUtf8(file);
}

/** @throws ReceptanceError `FILE_NOT_FOUND`, `BAD_TEXT` naming the line */
async function readDocuments(path: string): Promise<string[]> {
  const { documents, textFiles } = await import('@receptance/train/node');
  await textFiles(path);
  const texts: string[] = [];
  for await (const { text } of documents(path)) texts.push(text);
  return texts;
}

interface Reading {
  readonly tokens: number[];
  /** Of the text that is foreseen; 0 where it is not known. */
  readonly bytes: number;
}

/** @throws ReceptanceError `NO_TOKENIZER` */
function readingOf(source: Source, { tokenizer, vocabularySize }: Model): Reading {
  if (typeof source === 'object' && 'ids' in source) return { tokens: [...source.ids], bytes: 0 };
  if (tokenizer === undefined) {
    throw new ReceptanceError('NO_TOKENIZER', `no tokenizer is known for this model of ${vocabularySize} tokens`, {
      hint: 'give it with --tokenizer, or token ids with --tokens',
    });
  }
  if (typeof source === 'string') {
    const tokens = tokenizer.encode(source);
    const bytes = tokens.slice(1).reduce((sum, token) => sum + tokenizer.bytes(token).length, 0);
    return { tokens, bytes };
  }
  const { endOfText } = tokenizer;
  if (endOfText === undefined) {
    throw new ReceptanceError('NO_TOKENIZER', 'this tokenizer has no token for the end of a text', {
      hint: 'give one text: a file of another name than .jsonl',
    });
  }
  const { documents } = source;
  const tokens = [endOfText, ...documents.flatMap((text) => [...tokenizer.encode(text), endOfText])];
  return { tokens, bytes: documents.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0) };
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
