import { CHOICE_OPTIONS, type ChoiceGiven, readChoice } from '../choice.ts';
import { type Command, command } from '../command.ts';
import { type LoadedModel, loadModel, MODEL_OPTIONS } from '../model.ts';
import { badOption, COMMON, type Values } from '../options.ts';
import type { Terminal } from '../terminal.ts';
import { parseTokens } from '../tokens.ts';

const DEFAULT_PROMPT = 'Once upon a time';
const DEFAULT_MAX_TOKENS = 256;
const options = {
  ...MODEL_OPTIONS,
  prompt: { value: 'TEXT', help: `text to continue (default for the small model: "${DEFAULT_PROMPT}")` },
  tokens: { value: 'IDS', help: 'token ids to continue, 1,2,3 or @FILE with a JSON array' },
  'max-tokens': { value: 'N', help: `tokens to make at most (default: ${DEFAULT_MAX_TOKENS})` },
  stop: { value: 'TEXT', help: 'text that ends the text, and is not part of it; \\n stands for a new line' },
  'stop-tokens': {
    value: 'IDS',
    help: 'token ids that end the text (default: end of text, where a tokenizer is known)',
  },
  ...CHOICE_OPTIONS,
  ...COMMON,
} as const;

type Options = Values<keyof typeof options>;

export const generate: Command = command({
  name: 'generate',
  summary: 'Continues a text.',
  usage: '[--model FILE] [--prompt TEXT | --tokens IDS] [--greedy | --seed N …] [--max-tokens N]',
  options,
  examples: [
    ['generate', `let the small model continue "${DEFAULT_PROMPT}"`],
    ['generate --prompt "The little fox" --seed 7 --temperature 0.8', 'the same text each time'],
    ['generate --model model.pth --tokens 1,2,3 --greedy --max-tokens 16 --json', 'token ids in and out, for programs'],
    ['generate --prompt "Mia had 5 apples." --stop "."', 'one sentence more'],
    ['generate --max-tokens 1000 --presence-penalty 0.4 --frequency-penalty 0.4', 'longer, with less repetition'],
  ],
  async run(values, terminal) {
    const request = await readRequest(values);
    const loaded = await loadModel(values, terminal);
    try {
      return await stream(loaded, request, terminal);
    } finally {
      await loaded.model.close();
    }
  },
});

interface Request {
  readonly prompt: string | readonly number[] | undefined;
  readonly maxTokens: number;
  readonly stop: readonly string[];
  readonly stopTokens: readonly number[] | undefined;
  readonly choice: ChoiceGiven;
}

async function readRequest(values: Options): Promise<Request> {
  const [text, tokens] = [values.text('prompt'), values.text('tokens')];
  const [stop, stopTokens] = [values.text('stop'), values.text('stop-tokens')];
  if (text !== undefined && tokens !== undefined)
    throw badOption('--prompt and --tokens exclude each other', 'give one');
  const choice = readChoice(values);
  return {
    prompt: tokens === undefined ? text : await parseTokens(tokens),
    maxTokens: values.integer('max-tokens') ?? DEFAULT_MAX_TOKENS,
    stop: stop === undefined ? [] : [stop.replaceAll('\\n', '\n')],
    stopTokens: stopTokens === undefined ? undefined : await parseTokens(stopTokens),
    choice,
  };
}

async function stream(loaded: LoadedModel, request: Request, terminal: Terminal): Promise<number> {
  const { model, name, backend, isBundled, loadMs } = loaded;
  const { choice, maxTokens, stop, stopTokens } = request;
  const { signal } = terminal;
  const prompt = request.prompt ?? (isBundled ? DEFAULT_PROMPT : []);
  if (prompt.length === 0 && model.tokenizer === undefined) {
    throw badOption('there is nothing to continue', 'give --tokens, or the tokenizer of this model with --tokenizer');
  }
  /** The text reads as a whole; token ids are not repeated. */
  const shown = terminal.json || typeof prompt !== 'string' ? '' : prompt;
  const session = await model.session();
  // Checked before anything runs.
  const generation = session.generate({ ...choice, maxTokens, stop, stopTokens, signal });
  const tokens: number[] = [];
  let text = '';
  let start = 0;
  let finish: 'stop' | 'length' | 'interrupted' = 'length';
  const began = performance.now();
  let prefilled = began;
  try {
    await session.prefill(prompt, { signal });
    prefilled = performance.now();
    if (shown !== '') terminal.write(terminal.dim(shown));
    for (;;) {
      const { value, done } = await generation.next();
      if (done) {
        finish = value;
        break;
      }
      if (tokens.length === 0) start = session.length - 1;
      tokens.push(value.token);
      text += value.text;
      if (!terminal.json)
        terminal.write(model.tokenizer === undefined ? `${tokens.length > 1 ? ' ' : ''}${value.token}` : value.text);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    finish = 'interrupted';
  }
  // A stop token that comes with the last text is not part of it.
  tokens.splice(session.length - start);
  const timings = timingsOf({
    loadMs,
    began,
    prefilled,
    promptTokens: session.length - tokens.length,
    made: tokens.length,
  });
  if (terminal.json) {
    const seed = 'seed' in choice ? { seed: choice.seed } : {};
    const result = { tokens, text: model.tokenizer === undefined ? null : text, finish };
    terminal.writeJson({ model: name, backend, adapter: model.device.adapter, ...result, ...seed, timings });
  } else {
    if (tokens.length > 0 || shown !== '') terminal.write('\n');
    const drawn = 'seed' in choice ? `, seed ${choice.seed}` : '';
    terminal.note(
      `${tokens.length} tokens, ${timings.tokensPerSecond} tokens/s (${backend}: ${model.device.adapter}${drawn})`,
    );
  }
  return terminal.interrupted ? 130 : 0;
}

interface Measured {
  readonly loadMs: number;
  readonly began: number;
  readonly prefilled: number;
  readonly promptTokens: number;
  readonly made: number;
}

function timingsOf({ loadMs, began, prefilled, promptTokens, made }: Measured) {
  const [prefillMs, decodeMs] = [prefilled - began, performance.now() - prefilled];
  const round = (value: number): number => Math.round(value * 10) / 10;
  const rate = (count: number, milliseconds: number): number => (count > 0 ? round((1000 * count) / milliseconds) : 0);
  return {
    loadMs: round(loadMs),
    promptTokens,
    prefillMs: round(prefillMs),
    prefillTokensPerSecond: rate(promptTokens, prefillMs),
    decodeMs: round(decodeMs),
    tokensPerSecond: rate(made, decodeMs),
  };
}
