/**
 * Compiles the crate and writes what the package has of it: a binary for each variant, in src/binaries, and the table of
 * instructions that all of them know, in src/instructions.gen.ts. Needs the Rust of crate/rust-toolchain.toml; run it after
 * every change of the crate, and commit what it writes. Arguments choose variants, for trying things out.
 *
 * With --check nothing is written: it fails where the committed binaries are not, byte by byte, what the crate gives. With
 * --lint it runs clippy, as every variant has the crate but memory64, which is relaxedThreads with longer addresses and
 * would need a core made for it.
 */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { crateHash, pinnedRust } from './crate-hash.ts';
import { mostBytes, PAGE, VARIANTS, type Variant, type VariantName } from './src/variants.ts';

const crate = join(import.meta.dirname, 'crate');
const { values: mode, positionals: chosen } = parseArgs({
  allowPositionals: true,
  options: { check: { type: 'boolean', default: false }, lint: { type: 'boolean', default: false } },
});
const all = Object.keys(VARIANTS) as VariantName[];
const unknown = chosen.filter((name) => !Object.hasOwn(VARIANTS, name));
if (unknown.length > 0) throw new Error(`no variant ${unknown.join(', ')}; there are: ${all.join(', ')}`);
if (mode.check && chosen.length > 0) throw new Error('--check is of all variants');
const names = chosen.length === 0 ? all : all.filter((name) => chosen.includes(name));

function ask(...args: string[]): string {
  return execFileSync('rustc', args, { cwd: crate, encoding: 'utf8' }).trim();
}

const rustc = ask('--version');
if (!rustc.startsWith(`rustc ${pinnedRust()} `)) {
  throw new Error(`the binaries are made by rustc ${pinnedRust()}, this is ${rustc}: install Rust by rustup, which heeds
crate/rust-toolchain.toml, and in that folder: rustup toolchain install`);
}
const sysroot = ask('--print', 'sysroot');
const HEAD = '// Made of crate/ by build.ts: do not edit.\n\n';

function flags(variant: Variant): string[] {
  const features = ['+simd128', ...(variant.relaxed ? ['+relaxed-simd'] : [])];
  if (variant.threads) features.push('+atomics', '+bulk-memory', '+mutable-globals');
  // The memory is made by TypeScript, which lays it out from __heap_base on; the stack lies below the data, so that an
  // overflow traps instead of writing over them.
  const links = ['--import-memory', '--export=__heap_base', '--stack-first', '-zstack-size=65536'];
  // A shared memory has a limit that it is linked for.
  if (variant.threads) {
    links.push('--shared-memory', `--max-memory=${mostBytes(variant) + PAGE}`, '--export=__stack_pointer');
  }
  // A tile of sums fills the registers of the machine: LLVM must not move the loads of its factors ahead of their use.
  const order = '-Cllvm-args=-pre-RA-sched=source';
  // Nothing of the machine that builds it is in a binary: the same sources give the same bytes everywhere.
  const paths = `--remap-path-prefix=${sysroot}=/rust`;
  return [`-Ctarget-feature=${features.join(',')}`, order, paths, ...links.map((link) => `-Clink-arg=${link}`)];
}

/** Runs a command of cargo on the library as a variant has it; gives the folder that it works in. */
async function cargo(name: VariantName, command: string, ...lintArgs: string[]): Promise<string> {
  const variant = VARIANTS[name];
  const target = variant.memory64 ? 'wasm64-unknown-unknown' : 'wasm32-unknown-unknown';
  const folder = join(crate, 'target', name);
  const features = [variant.threads ? 'threads' : [], variant.relaxed ? 'relaxed' : []].flat();
  const args = [command, '--release', '--quiet', '--lib', '--target', target, '--target-dir', folder];
  if (features.length > 0) args.push('--features', features.join(','));
  // The core that comes with Rust is built without atomics, and for wasm64 there is none; clippy does not mind the former.
  if (variant.threads && command === 'build') args.push('-Zbuild-std=core');
  const env = {
    ...process.env,
    CARGO_ENCODED_RUSTFLAGS: flags(variant).join('\x1f'),
    // Waiting and waking are not stable in core yet; the flags above are all that is used beyond it.
    ...(variant.threads ? { RUSTC_BOOTSTRAP: '1' } : {}),
  };
  const { stderr } = await promisify(execFile)('cargo', [...args, ...lintArgs], { cwd: crate, env });
  process.stderr.write(stderr);
  return join(folder, target, 'release');
}

async function compile(name: VariantName): Promise<Uint8Array<ArrayBuffer>> {
  const folder = await cargo(name, 'build');
  return new Uint8Array(readFileSync(join(folder, 'receptance_kernels.wasm')));
}

/** What is made of each variant, as many at a time as there are processors; in their order. */
async function forEach<T>(
  names: readonly VariantName[],
  make: (name: VariantName) => Promise<T>,
): Promise<[VariantName, T][]> {
  const made = new Map<VariantName, T>();
  const rest = names.values();
  const work = async (): Promise<void> => {
    for (const name of rest) made.set(name, await make(name));
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return names.map((name) => [name, made.get(name) as T]);
}

/** `name operand operand …` line by line, out of the binary's own memory. */
async function instructionTable(binary: Uint8Array<ArrayBuffer>): Promise<string[][]> {
  const memory = new WebAssembly.Memory({ initial: 32 });
  const { instance } = await WebAssembly.instantiate(binary, { env: { memory } });
  const call = (name: string): number => {
    const exported = instance.exports[name];
    if (typeof exported !== 'function') throw new Error(`the crate does not export ${name}`);
    return Number(exported());
  };
  const text = new TextDecoder().decode(
    new Uint8Array(memory.buffer, call('instructions'), call('instructions_length')),
  );
  return text
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
}

/** The generated files by their names in src. */
async function generated(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const [name, binary] of await forEach(names, compile)) {
    files.set(`binaries/${name}.gen.ts`, binaryFile(binary));
    process.stdout.write(`${name}: ${binary.length} bytes\n`);
    if (name === 'simd128') files.set('instructions.gen.ts', tableFile(await instructionTable(binary)));
  }
  return files;
}

function binaryFile(binary: Uint8Array): string {
  const lines =
    Buffer.from(binary)
      .toString('base64')
      .match(/.{1,116}/g) ?? [];
  return `/** The binary in base64. */\nexport const BINARY: string = \`\n${lines.join('\n')}\n\`;\n`;
}

function tableFile(table: string[][]): string {
  const entries = table.map(
    ([name, ...operands], opcode) =>
      `  ${name}: { opcode: ${opcode}, operands: [${operands.map((operand) => `'${operand}'`).join(', ')}] },`,
  );
  return `/** What the binaries were made of, and by what. */
export const BUILD = {
  sources: '${names.length === all.length ? crateHash() : 'not all variants'}',
  compiler: '${rustc}',
} as const;

/** The instructions that they know, with the names of their operands in order. */
export const INSTRUCTIONS = {
${entries.join('\n')}
} as const;
`;
}

const pathOf = (file: string): string => join(import.meta.dirname, 'src', file);

async function write(): Promise<void> {
  for (const [file, text] of await generated()) {
    writeFileSync(pathOf(file), `${HEAD}${text}`);
  }
}

async function check(): Promise<void> {
  for (const [file, text] of await generated()) {
    const same = readFileSync(pathOf(file), 'utf8').replaceAll('\r\n', '\n') === `${HEAD}${text}`;
    process.stdout.write(`${file} ${same ? 'is what the crate gives' : 'DIFFERS from what the crate gives'}\n`);
    if (!same) process.exitCode = 1;
  }
  if (process.exitCode === 1) process.stdout.write('run build:wasm, and commit what it writes\n');
}

async function lint(): Promise<void> {
  const linted = names.filter((name) => !VARIANTS[name].memory64);
  await forEach(linted, (name) => cargo(name, 'clippy', '--', '-D', 'warnings'));
}

if (mode.lint) await lint();
else if (mode.check) await check();
else await write();
