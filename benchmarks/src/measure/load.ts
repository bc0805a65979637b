import { open, stat } from 'node:fs/promises';
import { weightsFile } from '../models/files.ts';
import { modelSize, registeredName } from '../models/registry.ts';
import { startPeer } from '../peers/peers.ts';
import { startOwnRunner } from '../runner/spawn.ts';
import type { Settings } from './plan.ts';
import type { Samples } from './samples.ts';
import type { Group, Subject } from './subject.ts';

/** Read at a time. */
const PIECE = 4 << 20;

/** A file of the group's weights: .gguf where it must hold blocks or a peer reads nothing else. */
export async function fileOf({ model, weights }: Group, isPeer: boolean, { seed, cache }: Settings): Promise<string> {
  const type = weights ?? 'f32';
  const gguf = isPeer || type === 'q8_0' || type === 'q4_0';
  return registeredName(model) === undefined && !isPeer
    ? model
    : weightsFile({ model, seed, weights: type, format: gguf ? 'gguf' : 'safetensors', folder: cache });
}

/** Whether there is such a file: blocks go into .gguf, which is of versions 6 and 7. */
export function hasFile({ model, weights }: Group, isPeer: boolean): boolean {
  const name = registeredName(model);
  const inBlocks = weights === 'q8_0' || weights === 'q4_0';
  return name === undefined ? model !== 'stories' : modelSize(name).version >= 6 || !(inBlocks || isPeer);
}

/** Opens the file in a new process, and reads it into memory without doing anything with it, in turns. */
export async function takeLoads(subject: Subject, group: Group, samples: Samples, settings: Settings): Promise<void> {
  const path = await fileOf(group, subject.isPeer, settings);
  const { size } = await stat(path);
  for (let repeat = 0; repeat < Math.min(3, settings.repeats); repeat++) {
    settings.signal.throwIfAborted();
    samples.add('fileRead', [await readWhole(path)], size);
    const runner = subject.isPeer ? startPeer(subject.program, settings.peersFolder) : startOwnRunner();
    try {
      const { program: backend, threads } = subject;
      const job = { model: path, seed: settings.seed, weights: undefined, backend, threads, maxSequences: 1 };
      samples.add('load', [(await runner.ask('open', job)).loadMs], size);
      await runner.ask('decode', { tokens: 2 });
      samples.add('peakMemory', [await runner.ask('memory', {})]);
    } finally {
      await runner.close();
    }
  }
}

/** Into new memory, as loading has to: the system gives it out page by page, which takes as long as the reading itself. */
async function readWhole(path: string): Promise<number> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const began = performance.now();
    const bytes = new Uint8Array(size);
    for (let at = 0; ; ) {
      const { bytesRead } = await file.read(bytes, at, Math.min(PIECE, size - at), at);
      if (bytesRead === 0) return performance.now() - began;
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
}
