import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = /^receptance-onnx-(\d+)-/;

/** A folder of this process's own, for models and weights. Those of processes that ended without tidying up go. */
export async function makeFolder(directory: string): Promise<string> {
  for (const name of await readdir(directory)) {
    const owner = Number(NAME.exec(name)?.[1] ?? 0);
    if (owner > 0 && !isRunning(owner)) await rm(join(directory, name), { recursive: true, force: true });
  }
  return await mkdtemp(join(directory, `receptance-onnx-${process.pid}-`));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Of another user, whose folder is not ours to remove.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
