import { open, stat } from 'node:fs/promises';
import { weightsFile } from '../models/files.ts';
import { modelSize, registeredName } from '../models/registry.ts';
import { peerNamed, startPeer } from '../peers/peers.ts';
import { startOwnRunner } from '../runner/spawn.ts';
import type { Settings } from './plan.ts';
import type { Samples } from './samples.ts';
import type { Group, Subject } from './subject.ts';

/** Read at a time. */
const PIECE = 4 << 20;

/** A file of the group's weights: as the peer reads it, .gguf where it must hold blocks. */
async function fileOf(group: Group, subject: Subject, { seed, cache }: Settings): Promise<string> {
  const { model, weights = 'f32' } = group;
  const format = formatOf(group, subject);
  return registeredName(model) === undefined && !subject.isPeer
    ? model
    : weightsFile({ model, seed, weights, format, folder: cache });
}

/** Whether there is such a file: blocks go into .gguf, which is of versions 6 and 7. */
export function hasFile(group: Group, subject: Subject): boolean {
  const name = registeredName(group.model);
  if (name === undefined) return group.model !== 'stories';
  return formatOf(group, subject) === 'gguf' ? modelSize(name).version >= 6 : !isInBlocks(group);
}

function formatOf(group: Group, { isPeer, program }: Subject): 'safetensors' | 'gguf' {
  if (isPeer) return peerNamed(program).format;
  return isInBlocks(group) ? 'gguf' : 'safetensors';
}

function isInBlocks({ weights }: Group): boolean {
  return weights === 'q8_0' || weights === 'q4_0';
}

/** Opens the file in a new process, and reads it into memory without doing anything with it, in turns. */
export async function takeLoads(subject: Subject, group: Group, samples: Samples, settings: Settings): Promise<void> {
  const path = await fileOf(group, subject, settings);
  const { size } = await stat(path);
  for (let repeat = 0; repeat < Math.min(3, settings.repeats); repeat++) {
    settings.signal.throwIfAborted();
    samples.add('fileRead', [await readWhole(path)], size);
    const runner = subject.isPeer ? startPeer(subject.program, settings.peersFolder) : startOwnRunner();
    try {
      const { program: backend, threads } = subject;
      const job = { model: path, seed: settings.seed, weights: undefined, backend, threads, maxSequences: 1 };
      const { loadMs, beforeBytes } = await runner.ask('open', job);
      samples.add('load', [loadMs], size);
      if (beforeBytes !== undefined) samples.add('memoryBefore', [beforeBytes]);
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
