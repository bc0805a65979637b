import { appendFile, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Checkpoint, safetensorsChunks } from '@receptance/checkpoint';
import { openCheckpointFile, writeWhole } from '@receptance/checkpoint/node';
import { convertTensors, type PlainDType } from '@receptance/core';
import type { SavedTraining } from '../options.ts';
import type { Trainer } from '../trainer.ts';

const [SAVED, MODEL, LOG] = ['training.safetensors', 'model.safetensors', 'log.jsonl'];

/** A line of the log: a step, or an evaluation after one. */
export interface LogLine {
  readonly step: number;
  readonly loss?: number;
  readonly heldOut?: number;
  readonly [name: string]: number | undefined;
}

/**
 * A folder in which a training is kept: `training.safetensors` to go on from, `model.safetensors` to use, `log.jsonl`. Files are
 * replaced as a whole: a process that is killed at any time leaves the last ones.
 */
export class TrainingFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes the folder where it is not there, and removes what a killed process had half written. */
  static async open(path: string): Promise<TrainingFolder> {
    await mkdir(path, { recursive: true });
    const partials = (await readdir(path)).filter((name) => name.endsWith('.partial'));
    for (const name of partials) await rm(join(path, name), { force: true });
    return new TrainingFolder(path);
  }

  get modelPath(): string {
    return join(this.path, MODEL);
  }

  /** Whether there is a training to go on with. */
  async isBegun(): Promise<boolean> {
    return (await readdir(this.path)).includes(SAVED);
  }

  /** Removes the training that is there, for one that begins anew. */
  async clear(): Promise<void> {
    for (const name of [SAVED, MODEL, LOG]) await rm(join(this.path, name), { force: true });
  }

  /** What `save` left, to be given to `createTrainer` as `resume`; the caller closes it. */
  async saved(): Promise<Checkpoint & SavedTraining> {
    return openCheckpointFile(join(this.path, SAVED));
  }

  /** Writes the training, then the model. */
  async save(trainer: Trainer, dtype: PlainDType = 'f32'): Promise<void> {
    const saved = trainer.saved();
    await writeWhole(join(this.path, SAVED), safetensorsChunks(saved, saved.metadata));
    const model = trainer.weights();
    const plain = [...model.tensors.values()].every((info) => info.dtype === dtype);
    await writeWhole(
      this.modelPath,
      safetensorsChunks(plain ? model : convertTensors(model, { dtype }), model.metadata),
    );
  }

  async log(line: LogLine): Promise<void> {
    await appendFile(join(this.path, LOG), `${JSON.stringify(line)}\n`);
  }

  /** The lines of the log so far. One that a killed process had half written is no line. */
  async lines(): Promise<LogLine[]> {
    const text = await readFile(join(this.path, LOG), 'utf8').catch(() => '');
    return text.split('\n').flatMap((line) => {
      try {
        return [JSON.parse(line) as LogLine];
      } catch {
        return [];
      }
    });
  }

  /** Takes lines of later steps out of the log: a run that resumes makes those steps again. */
  async forget(after: number): Promise<LogLine[]> {
    const kept = (await this.lines()).filter(({ step }) => step <= after);
    const text = kept.map((line) => `${JSON.stringify(line)}\n`).join('');
    await writeWhole(join(this.path, LOG), [new TextEncoder().encode(text)]);
    return kept;
  }
}
