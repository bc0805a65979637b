/**
 * Compiles the crate and writes src/module.gen.ts: the binary, and the table of instructions that it contains.
 * Needs Rust with the target wasm32-unknown-unknown; run it after every change of the crate, and commit what it writes.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crateHash } from './crate-hash.ts';

const target = 'wasm32-unknown-unknown';
const crate = join(import.meta.dirname, 'crate');

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

execFileSync('cargo', ['build', '--release', '--quiet', '--target', target], { cwd: crate, stdio: 'inherit' });
const rustc = execFileSync('rustc', ['--version'], { cwd: crate, encoding: 'utf8' }).trim();
const binary = new Uint8Array(readFileSync(join(crate, 'target', target, 'release/receptance_kernels.wasm')));
const table = await instructionTable(binary);
const entries = table.map(
  ([name, ...operands], opcode) =>
    `  ${name}: { opcode: ${opcode}, operands: [${operands.map((operand) => `'${operand}'`).join(', ')}] },`,
);
const lines =
  Buffer.from(binary)
    .toString('base64')
    .match(/.{1,116}/g) ?? [];

writeFileSync(
  join(import.meta.dirname, 'src/module.gen.ts'),
  `// Made of crate/ by build.ts: do not edit.

/** What the binary was made of, and by what. */
export const BUILD = {
  sources: '${crateHash()}',
  compiler: '${rustc}',
} as const;

/** The instructions that the binary knows, with the names of their operands in order. */
export const INSTRUCTIONS = {
${entries.join('\n')}
} as const;

/** The binary in base64. */
export const BINARY: string = \`
${lines.join('\n')}
\`;
`,
);
process.stdout.write(`${binary.length} bytes, ${table.length} instructions, ${rustc}\n`);
