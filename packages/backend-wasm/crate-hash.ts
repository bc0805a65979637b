import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The sources that the committed binary is made of, as one hash. */
export function crateHash(): string {
  const folder = join(import.meta.dirname, 'crate');
  const hash = createHash('sha256');
  const files = globSync(['Cargo.toml', 'Cargo.lock', 'src/**/*.rs', '../build.ts', '../src/variants.ts'], {
    cwd: folder,
  });
  for (const file of files.map((name) => name.replaceAll('\\', '/')).sort()) {
    const text = readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n');
    hash.update(`${file}\0${text}\0`);
  }
  return hash.digest('hex');
}
