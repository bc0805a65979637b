/**
 * Compiles the crate and writes what the package has of it: a binary for each variant, in src/binaries, and the table of
 * instructions that all of them know, in src/instructions.gen.ts. Needs Rust with the target wasm32-unknown-unknown, and
 * for the variants with threads the component rust-src; run it after every change of the crate, and commit what it writes.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crateHash } from './crate-hash.ts';
import { mostBytes, PAGE, VARIANTS, type Variant, type VariantName } from './src/variants.ts';

const crate = join(import.meta.dirname, 'crate');
const rustc = execFileSync('rustc', ['--version'], { cwd: crate, encoding: 'utf8' }).trim();
const all = Object.keys(VARIANTS) as VariantName[];
const chosen = process.argv.slice(2);
const names = chosen.length === 0 ? all : all.filter((name) => chosen.includes(name));

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
  return [`-Ctarget-feature=${features.join(',')}`, order, ...links.map((link) => `-Clink-arg=${link}`)];
}

function compile(name: VariantName): Uint8Array<ArrayBuffer> {
  const variant = VARIANTS[name];
  const target = variant.memory64 ? 'wasm64-unknown-unknown' : 'wasm32-unknown-unknown';
  const folder = join(crate, 'target', name);
  const features = [variant.threads ? 'threads' : [], variant.relaxed ? 'relaxed' : []].flat();
  const args = ['build', '--release', '--quiet', '--lib', '--target', target, '--target-dir', folder];
  if (features.length > 0) args.push('--features', features.join(','));
  // The core that comes with Rust is built without atomics, and for wasm64 there is none.
  if (variant.threads) args.push('-Zbuild-std=core');
  const env = {
    ...process.env,
    CARGO_ENCODED_RUSTFLAGS: flags(variant).join('\x1f'),
    // Waiting and waking are not stable in core yet; the flags above are all that is used beyond it.
    ...(variant.threads ? { RUSTC_BOOTSTRAP: '1' } : {}),
  };
  execFileSync('cargo', args, { cwd: crate, stdio: 'inherit', env });
  return new Uint8Array(readFileSync(join(folder, target, 'release/receptance_kernels.wasm')));
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

function writeSource(file: string, text: string): void {
  writeFileSync(join(import.meta.dirname, 'src', file), `// Made of crate/ by build.ts: do not edit.\n\n${text}`);
}

function writeBinary(name: VariantName, binary: Uint8Array): void {
  const lines =
    Buffer.from(binary)
      .toString('base64')
      .match(/.{1,116}/g) ?? [];
  writeSource(
    `binaries/${name}.gen.ts`,
    `/** The binary in base64. */\nexport const BINARY: string = \`\n${lines.join('\n')}\n\`;\n`,
  );
  process.stdout.write(`${name}: ${binary.length} bytes\n`);
}

function writeTable(table: string[][]): void {
  const entries = table.map(
    ([name, ...operands], opcode) =>
      `  ${name}: { opcode: ${opcode}, operands: [${operands.map((operand) => `'${operand}'`).join(', ')}] },`,
  );
  writeSource(
    'instructions.gen.ts',
    `/** What the binaries were made of, and by what. */
export const BUILD = {
  sources: '${crateHash()}',
  compiler: '${rustc}',
} as const;

/** The instructions that they know, with the names of their operands in order. */
export const INSTRUCTIONS = {
${entries.join('\n')}
} as const;
`,
  );
  process.stdout.write(`${table.length} instructions, ${rustc}\n`);
}

for (const name of names) {
  const binary = compile(name);
  writeBinary(name, binary);
  if (name === 'simd128') writeTable(await instructionTable(binary));
}
