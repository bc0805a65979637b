import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DEVICE_REMEDY, writing } from './writing.ts';

const NAME = /^receptance-onnx-([0-9a-f]{12})-(\d+)-/;

/**
 * A folder of this process's own, for models and weights. Those that processes of this user left when they ended without tidying up go.
 * @throws ReceptanceError `WRITE_FAILED`
 */
export async function makeFolder(directory: string): Promise<string> {
  const here = placeOfProcesses();
  for (const name of await readdir(directory).catch(() => [])) {
    const [, place, owner] = NAME.exec(name) ?? [];
    if (place === here && !isRunning(Number(owner))) await removeOwn(join(directory, name));
  }
  return await writing(directory, DEVICE_REMEDY, () =>
    mkdtemp(join(directory, `receptance-onnx-${here}-${process.pid}-`)),
  );
}

/** What is left is in nobody's way: that it cannot be removed is no reason not to open. */
async function removeOwn(folder: string): Promise<void> {
  try {
    const { uid } = await lstat(folder);
    if (process.getuid === undefined || process.getuid() === uid) await rm(folder, { recursive: true, force: true });
  } catch {
    return;
  }
}

/**
 * Where a number means the same process as here. Machines and containers may share a directory, so it is the host and, on Linux, its boot
 * and the namespace.
 */
function placeOfProcesses(): string {
  const facts = [
    hostname(),
    readable(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    readable(() => readlinkSync('/proc/self/ns/pid')),
  ];
  return createHash('sha256').update(facts.join('\n')).digest('hex').slice(0, 12);
}

function readable(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
