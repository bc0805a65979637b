import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, 'crate');

/** The version of rustc that the committed binaries are made by. */
export function pinnedRust(): string {
  const pin = /^channel = "([\d.]+)"$/m.exec(readFileSync(join(folder, 'rust-toolchain.toml'), 'utf8'));
  if (pin?.[1] === undefined) throw new Error('crate/rust-toolchain.toml names no version');
  return pin[1];
}

/** The sources and the toolchain that the committed binaries are made of, as one hash. */
export function crateHash(): string {
  const hash = createHash('sha256');
  const crate = ['Cargo.toml', 'Cargo.lock', 'rust-toolchain.toml', 'src/**/*.rs'];
  const files = globSync([...crate, '../build.ts', '../src/variants.ts'], { cwd: folder });
  for (const file of files.map((name) => name.replaceAll('\\', '/')).sort()) {
    const text = readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n');
    hash.update(`${file}\0${text}\0`);
  }
  return hash.digest('hex');
}
