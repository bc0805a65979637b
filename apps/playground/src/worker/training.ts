import { blobSource, openCheckpoint, type Vocabulary } from '@receptance/checkpoint';
import { type Progress, ReceptanceError } from '@receptance/core';
import { byteTokenizer, type Tokenizer, worldTokenizerFromTokens } from '@receptance/tokenizer';
import { createTrainer, safetensorsBytes, type Trainer, type TrainerOptions, tokenArray } from '@receptance/train';
import { text } from '../text.ts';
import type { Context } from './handlers.ts';
import type { Models } from './models.ts';
import type { TrainEvent, TrainRequest } from './protocol.ts';
import { backendOf } from './verdicts.ts';

/** Tokens of one text of a batch, where the data has that many. */
const LENGTH = 128;
const SEQUENCES = 8;

/** How fast each kind learns: what is trained from nothing may take larger steps than what knows something already. */
const RATES = { new: 8e-3, state: 0.1, full: 5e-4 } as const;

/** The training that is under way. It stays on its device between two calls, so that pausing loses nothing. */
export class Training {
  readonly #models: Models;
  #trainer: Trainer | undefined;

  constructor(models: Models) {
    this.#models = models;
  }

  /** Goes on for the steps that are left, or begins. Aborting pauses after the step that is being made. */
  async run(
    request: TrainRequest | undefined,
    { emit, signal }: Context<TrainEvent>,
  ): Promise<{ readonly done: boolean }> {
    if (request !== undefined) await this.#begin(request, emit, signal);
    const trainer = this.#current;
    for await (const { step, loss, tokens, milliseconds } of trainer.run({ signal })) {
      emit({ kind: 'step', step, steps: trainer.steps, loss, tokensPerSecond: (1000 * tokens) / milliseconds });
    }
    return { done: trainer.step >= trainer.steps };
  }

  /** The model as it is now, as a `.safetensors` file. */
  weights(): Promise<Uint8Array<ArrayBuffer>> {
    return safetensorsBytes(this.#current.weights());
  }

  async end(): Promise<undefined> {
    const trainer = this.#trainer;
    this.#trainer = undefined;
    await trainer?.close();
    return undefined;
  }

  async #begin(request: TrainRequest, emit: (event: TrainEvent) => void, signal: AbortSignal): Promise<void> {
    await this.end();
    const onProgress = (progress: Progress): void => emit({ kind: 'progress', ...progress });
    const { options, tokenizer } = await this.#modelOf(request, { emit: onProgress, signal });
    const tokens = tokenizer.encode(request.text);
    const length = Math.max(1, Math.min(LENGTH, tokens.length - 1));
    const rate = RATES[request.what];
    this.#trainer = await createTrainer({
      ...options,
      ...{ backend: await backendOf(request.backend), data: tokenArray(tokens), steps: request.steps },
      ...{ sequences: SEQUENCES, length, schedule: { rate, finalRate: rate / 10, warmup: 4 }, onProgress },
    });
  }

  async #modelOf(
    { what, model, layers, width }: TrainRequest,
    context: Context<Progress>,
  ): Promise<{ readonly options: Pick<TrainerOptions, 'model' | 'train'>; readonly tokenizer: Tokenizer }> {
    if (what === 'new') {
      const config = { architecture: 'rwkv7', layers, width, headSize: 32, vocabularySize: 256 } as const;
      return { options: { model: config }, tokenizer: byteTokenizer() };
    }
    const source = await this.#models.sourceOf(model, context);
    const checkpoint = await openCheckpoint(blobSource(source.blob));
    const rows = checkpoint.tensors.get('emb.weight')?.shape[0];
    const tokenizer = source.tokenizer ?? tokenizerOf(checkpoint.vocabulary, rows);
    return { options: { model: checkpoint, train: what }, tokenizer };
  }

  get #current(): Trainer {
    if (this.#trainer !== undefined) return this.#trainer;
    throw new ReceptanceError('NO_TRAINING', text.errors.noTraining, { hint: text.errors.noTrainingHint });
  }
}

function tokenizerOf(vocabulary: Vocabulary | undefined, rows: number | undefined): Tokenizer {
  if (vocabulary?.model === 'rwkv') return worldTokenizerFromTokens(vocabulary.tokens, vocabulary);
  if (rows === 256) return byteTokenizer();
  throw new ReceptanceError('NO_TOKENIZER', text.errors.noTokenizer, { hint: text.errors.noTokenizerHint });
}
