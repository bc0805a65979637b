import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkpoint } from '@receptance/checkpoint';
import { openCheckpointFile, writeWhole } from '@receptance/checkpoint/node';
import { ReceptanceError } from '@receptance/core';
import { byteTokenizer, type Tokenizer, worldTokenizerFromTokens } from '@receptance/tokenizer';
import {
  createTrainer,
  type SavedTraining,
  split,
  type TokenSource,
  type Trainer,
  type TrainerOptions,
} from '@receptance/train';
import { prepareTokens, type TokenFile, TrainingFolder } from '@receptance/train/node';
import { backendNamed } from '../backends.ts';
import { tokenizerIn } from '../model.ts';
import { badOption } from '../options.ts';
import type { Terminal } from '../terminal.ts';
import type { Begun } from './options.ts';
import { Pace } from './pace.ts';
import { LOSS_PAGE, TrainingRecord } from './record.ts';

/** Held-out tokens that are looked at, at most. */
const EVALUATED = 32_768;

/** What came of it. */
export interface Outcome {
  readonly step: number;
  readonly steps: number;
  readonly loss: number | undefined;
  readonly heldOut: number | undefined;
  readonly trained: number;
  readonly model: string;
  readonly seconds: number;
}

const [OPTIONS, TOKENS, VALIDATION] = ['options.json', 'data.tokens', 'validation.tokens'];

/** Opens the folder to keep a training in. */
export function openFolder(path: string): Promise<TrainingFolder> {
  const tokens = [TOKENS, VALIDATION].flatMap((name) => [name, `${name}.json`]);
  return TrainingFolder.open(path, [OPTIONS, LOSS_PAGE, ...tokens]);
}

/** @throws UsageError `BAD_OPTION` where a training would replace the model that it begins with, and reads again at the end */
export async function refuseModelIn(folder: TrainingFolder, { model }: Begun): Promise<void> {
  if (model === undefined || !(await folder.holdsModel(model))) return;
  throw badOption(`${model} lies in ${folder.path}, where the trained model will be`, 'give another folder with --out');
}

/** @throws ReceptanceError `FILE_EXISTS` where a training is in the folder, or a file that one would replace */
export async function refuseBegun(folder: TrainingFolder): Promise<void> {
  if ((await readdir(folder.path)).includes(OPTIONS)) {
    throw new ReceptanceError('FILE_EXISTS', `${folder.path} holds a training already`, {
      hint: '--resume goes on with it; --force begins anew in its place',
    });
  }
  const [first] = await folder.held();
  if (first === undefined) return;
  throw new ReceptanceError('FILE_EXISTS', `${folder.path} holds ${first} already`, {
    hint: 'give another folder, or --force to replace it',
  });
}

/** Options with which the training in a folder was begun. @throws ReceptanceError `NOTHING_TO_RESUME`, `BAD_RESUME` */
export async function begunIn(folder: string): Promise<Begun> {
  const path = join(folder, OPTIONS);
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) {
    throw new ReceptanceError('NOTHING_TO_RESUME', `${folder} holds no training`, {
      hint: 'begin one: leave --resume out, and give --data',
    });
  }
  try {
    return JSON.parse(text) as Begun;
  } catch (cause) {
    throw new ReceptanceError('BAD_RESUME', `${path} is no JSON`, {
      hint: 'it was changed since the training began: mend it, or begin anew with --force',
      cause,
    });
  }
}

async function keepOptions(folder: TrainingFolder, begun: Begun): Promise<void> {
  const text = `${JSON.stringify(begun, undefined, 2)}\n`;
  await writeWhole(join(folder.path, OPTIONS), [new TextEncoder().encode(text)]);
}

export interface Going {
  /** Whether to go on with what is in the folder; else it is replaced, once the new training can begin. */
  readonly resumes: boolean;
  readonly terminal: Terminal;
}

/** Trains until the last step, or until Ctrl-C; saves in either case. */
export async function trainIn(folder: TrainingFolder, begun: Begun, { resumes, terminal }: Going): Promise<Outcome> {
  const closing: { close(): Promise<void> }[] = [];
  const opened = <T extends { close(): Promise<void> }>(one: T): T => {
    closing.push(one);
    return one;
  };
  const { signal } = terminal;
  try {
    const saved = resumes && (await folder.isBegun()) ? opened(await folder.saved()) : undefined;
    // Open to the end: what is not trained is read again when the model is written.
    const checkpoint =
      begun.model === undefined ? undefined : opened(await openCheckpointFile(begun.model, { signal }));
    const tokenizer = await tokenizerOf(begun, checkpoint);
    const { training, heldOut } = await tokenFiles(folder, begun, tokenizer, terminal, opened);
    const trainer = opened(
      await createTrainer(await trainerOptions(begun, { tokenizer, training, checkpoint, saved }, terminal)),
    );
    if (!resumes) {
      await folder.clear();
      await keepOptions(folder, begun);
    }
    if (saved !== undefined) terminal.note(`goes on after step ${trainer.step} of ${trainer.steps}`);
    return await follow({ folder, begun, trainer, terminal, heldOut });
  } finally {
    for (const each of closing.reverse()) await each.close();
  }
}

/** @throws ReceptanceError `NO_TOKENIZER` */
async function tokenizerOf({ tokenizer }: Begun, checkpoint: Checkpoint | undefined): Promise<Tokenizer> {
  const given = await tokenizerIn(tokenizer);
  if (given !== undefined) return given;
  const { vocabulary } = checkpoint ?? {};
  if (vocabulary?.model === 'rwkv') return worldTokenizerFromTokens(vocabulary.tokens, vocabulary);
  const [size = 256] = checkpoint?.tensors.get('emb.weight')?.shape ?? [];
  if (size === 256) return byteTokenizer();
  throw new ReceptanceError('NO_TOKENIZER', `no tokenizer is known for this model of ${size} tokens`, {
    hint: 'give it with --tokenizer',
  });
}

interface Texts {
  readonly training: TokenSource;
  readonly heldOut: TokenSource | undefined;
}

async function tokenFiles(
  folder: TrainingFolder,
  begun: Begun,
  tokenizer: Tokenizer,
  { signal, onProgress }: Terminal,
  opened: (file: TokenFile) => TokenFile,
): Promise<Texts> {
  const tokenizerName = begun.tokenizer ?? begun.model ?? 'bytes';
  const prepare = async (data: string, name: string): Promise<TokenFile> =>
    opened(await prepareTokens({ data, tokenizer, tokenizerName, out: join(folder.path, name), signal, onProgress }));
  const file = await prepare(begun.data, TOKENS);
  if (begun.validation !== undefined) {
    return { training: file, heldOut: await prepare(begun.validation, VALIDATION) };
  }
  const { training, heldOut } = split(file, begun.heldOut);
  return { training, heldOut: heldOut.length > 1 ? heldOut : undefined };
}

interface Sources {
  readonly tokenizer: Tokenizer;
  readonly training: TokenSource;
  readonly checkpoint: Checkpoint | undefined;
  readonly saved: SavedTraining | undefined;
}

async function trainerOptions(
  begun: Begun,
  { tokenizer, training, checkpoint, saved }: Sources,
  terminal: Terminal,
): Promise<TrainerOptions> {
  const { architecture, layers, width, headSize, lora, state, backend, ...rest } = begun;
  const eps = Number(checkpoint?.metadata['groupNormEps'] ?? Number.NaN);
  const { vocabularySize = tokenizer.vocabularySize } = begun;
  return {
    ...rest,
    backend: await backendNamed(backend, (message) => terminal.note(message)),
    model: checkpoint ?? { architecture, layers, width, headSize, vocabularySize },
    ...{ data: training, resume: saved, signal: terminal.signal, onProgress: terminal.onProgress },
    train: state ? 'state' : lora === undefined ? 'full' : { lora },
    groupNormEps: eps > 0 ? eps : undefined,
  };
}

interface Followed {
  readonly folder: TrainingFolder;
  readonly begun: Begun;
  readonly trainer: Trainer;
  readonly terminal: Terminal;
  readonly heldOut: TokenSource | undefined;
}

/** The loop: steps, and what is told and kept of them. */
async function follow({ folder, begun, trainer, terminal, heldOut }: Followed): Promise<Outcome> {
  const began = performance.now();
  const { steps, device, trained } = trainer;
  const title = `${trainer.architecture}, ${trained.toLocaleString('en')} numbers trained (${device.backend}: ${device.adapter})`;
  terminal.note(`${title}; ${trainer.tokensPerStep} tokens a step, ${trainer.stepsPerEpoch} steps an epoch`);
  const record = new TrainingRecord(folder, { title, steps }, await folder.forget(trainer.step));
  const pace = new Pace(steps);
  try {
    for await (const report of trainer.run({ signal: terminal.signal })) {
      const { step, milliseconds } = report;
      await record.add({ ...report, milliseconds: Math.round(milliseconds) });
      terminal.status(pace.line(report));
      if (heldOut !== undefined && (step % begun.evaluateEvery === 0 || step === steps)) {
        const { loss } = await trainer.evaluate(heldOut, { tokens: EVALUATED });
        await record.add({ step, heldOut: loss });
        terminal.note(`step ${step}/${steps}  held out ${loss.toFixed(4)}`);
      }
      if (step % begun.saveEvery === 0 && step < steps) await folder.save(trainer, begun.dtype);
      await record.draw(false);
    }
    await folder.save(trainer, begun.dtype);
  } finally {
    await record.draw(true);
  }
  return {
    ...{ step: trainer.step, steps, loss: record.last('loss'), heldOut: record.last('heldOut'), trained },
    ...{ model: folder.modelPath, seconds: Math.round(performance.now() - began) / 1000 },
  };
}
