import { appendFile, mkdir, readdir, readFile, realpath, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Checkpoint, safetensorsChunks } from '@receptance/checkpoint';
import { openCheckpointFile, writeWhole } from '@receptance/checkpoint/node';
import { convertTensors, type PlainDType } from '@receptance/core';
import type { SavedTraining } from '../options.ts';
import type { Trainer } from '../trainer.ts';

const [SAVED, MODEL, LOG] = ['training.safetensors', 'model.safetensors', 'log.jsonl'];
const FILES: readonly string[] = [SAVED, MODEL, LOG];

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

  /**
   * Makes the folder where it is not there, and removes what a process that is gone had half written of its files.
   * @param others names of files that the caller writes there by `writeWhole`: half written ones of them are removed, too
   */
  static async open(path: string, others: readonly string[] = []): Promise<TrainingFolder> {
    await mkdir(path, { recursive: true });
    const ours = [...FILES, ...others];
    for (const name of await readdir(path)) {
      const [, file = '', owner] = /^(.+)\.(\d+)\.\d+\.partial$/.exec(name) ?? [];
      if (ours.includes(file) && !isRunning(Number(owner))) await rm(join(path, name), { force: true });
    }
    return new TrainingFolder(path);
  }

  get modelPath(): string {
    return join(this.path, MODEL);
  }

  /** Whether there is a training to go on with. */
  async isBegun(): Promise<boolean> {
    return (await readdir(this.path)).includes(SAVED);
  }

  /** Names of files that are there, whoever wrote them, and that `clear` removes or `save` and `log` change. */
  async held(): Promise<string[]> {
    return (await readdir(this.path)).filter((name) => FILES.includes(name));
  }

  /**
   * Whether the checkpoint at a path, as `openCheckpointFile` takes it, lies in this folder: `clear` and `save` may put an end
   * to it while it is read.
   */
  async holdsModel(path: string): Promise<boolean> {
    const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() === true;
    const folder = await real(isFolder ? path : dirname(path));
    const isWhole = isFolder || path.endsWith('.index.json');
    const files = isWhole ? (await readdir(folder).catch(() => [])).map((name) => join(folder, name)) : [path];
    // A link that lies here is replaced; of one that leads here, what it leads to.
    const places = await Promise.all(files.map(async (file) => dirname(await real(file))));
    return [folder, ...places].includes(await real(this.path));
  }

  /** Removes the training that is there, for one that begins anew. */
  async clear(): Promise<void> {
    for (const name of FILES) await rm(join(this.path, name), { force: true });
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

/** A path without links; one that leads nowhere as it is. */
async function real(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path));
}

/** Whether another process has this number. In containers a process often has that of the one which was killed. */
function isRunning(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
