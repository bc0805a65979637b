/**
 * Writes .gguf files, lets llama.cpp compute on them, and holds its logits against those of the reference backend on the same
 * files. See README.md for what it needs; its table goes there.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { reference } from '../../packages/backend-reference/src/index.ts';
import { ggufChunks } from '../../packages/checkpoint/src/index.ts';
import { openCheckpointFile } from '../../packages/checkpoint/src/node.ts';
import { errorFigures } from '../../packages/conformance/src/index.ts';
import { loadFile } from '../../packages/receptance/src/node.ts';
import { root } from '../workspace.ts';

const GOLDEN = [
  ...['rwkv6_l2_c128_v97.safetensors', 'rwkv6_l4_c128_resc2_v97.f16.gguf', 'rwkv7_l2_c128_v97.safetensors'],
  ...['rwkv7_l4_c128_v97.safetensors', 'rwkv7_l3_c192_f256_v97.bf16.safetensors', 'rwkv7_l2_c128_tok_v600.f16.gguf'],
];
const TYPES = ['f32', 'f16', 'q8_0', 'q4_0'] as const;
type Type = (typeof TYPES)[number];

/**
 * Most NMSE between llama.cpp and the reference. In f32 both compute the same sums; else llama.cpp also rounds what it multiplies
 * by the matrix, to the type's own precision (8 bits for blocks).
 */
const MOST: Readonly<Record<Type, number>> = { f32: 1e-11, f16: 1e-6, q8_0: 5e-3, q4_0: 5e-3 };

const golden = join(root, 'packages/conformance/golden/models');
const models = [join(root, 'packages/model-stories/stories.gguf'), ...GOLDEN.map((name) => join(golden, name))];
const tokens = Array.from({ length: 48 }, (_, i) => (i * 37 + 11) % 97);

/** A Python with llama-cpp-python, which answers jobs in their order. */
class Peer {
  readonly #process: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  constructor(python: string) {
    this.#process = spawn(python, [join(root, 'tools/llama-cpp/peer.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
    const { stdout } = this.#process;
    if (stdout === null) throw new Error('the peer has no output');
    this.#answers = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  async ask(job: object): Promise<unknown> {
    this.#process.stdin?.write(`${JSON.stringify(job)}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error('llama.cpp ended: see above');
    return JSON.parse(value);
  }

  async logits(file: string): Promise<Float32Array> {
    const out = join(folder, 'logits.f32');
    await this.ask({ logits: file, tokens, out });
    return new Float32Array(new Uint8Array(readFileSync(out)).buffer);
  }

  close(): void {
    this.#process.stdin?.end();
  }
}

async function convert(from: string, dtype: Type, to: string): Promise<string> {
  const source = await openCheckpointFile(from);
  const out = join(folder, to);
  const pieces: Uint8Array[] = [];
  for await (const piece of ggufChunks(source, { dtype })) pieces.push(piece);
  writeFileSync(out, Buffer.concat(pieces));
  await source.close();
  return out;
}

interface Read {
  readonly data: Float32Array | Float64Array;
  readonly vocabularySize: number;
}

async function referenceLogits(file: string): Promise<Read> {
  const model = await loadFile(file, { backend: reference() });
  const read = await model.logits(tokens);
  await model.close();
  return read;
}

function likeliest(logits: ArrayLike<number>, size: number): number[] {
  return tokens.map((_, row) => {
    let best = 0;
    for (let v = 1; v < size; v++) if (Number(logits[row * size + v]) > Number(logits[row * size + best])) best = v;
    return best;
  });
}

const failures: string[] = [];

async function compare(peer: Peer, from: string, type: Type): Promise<string[]> {
  const file = await convert(from, type, `${type}.gguf`);
  const wide = await convert(file, 'f32', `${type}.f32.gguf`);
  const want = await referenceLogits(file);
  const [got, gotWide] = [await peer.logits(file), await peer.logits(wide)];
  const [figures, wideFigures] = [errorFigures(got, want.data), errorFigures(gotWide, want.data)];
  const [ours, theirs] = [likeliest(want.data, want.vocabularySize), likeliest(got, want.vocabularySize)];
  const same = ours.filter((token, row) => token === theirs[row]).length;
  let quantizer = '';
  if (type === 'q8_0' || type === 'q4_0') {
    const out = join(folder, 'theirs.gguf');
    await peer.ask({ quantize: await convert(from, 'f32', 'plain.gguf'), type, out });
    const differing = (await peer.logits(out)).filter((x, i) => !Object.is(x, got[i])).length;
    quantizer = differing === 0 ? 'to the bit' : `${differing} differ`;
  }
  const wrong = !(figures.nmse <= MOST[type] && wideFigures.nmse <= MOST.f32) || quantizer.endsWith('differ');
  if (wrong) failures.push(`${basename(from)} as ${type}`);
  const shown = [wideFigures.nmse, figures.nmse].map((nmse) => nmse.toExponential(1));
  return [`\`${basename(from)}\``, type, ...shown, `${same} of ${tokens.length}`, quantizer];
}

interface Texts {
  readonly strings: readonly { readonly base64: string; readonly ids: readonly number[] }[];
}

/** The vocabulary that a written file carries, as llama.cpp uses it. */
async function compareTokens(peer: Peer): Promise<string> {
  const stem = join(golden, 'rwkv7_l2_c128_tok_v600');
  const { strings } = JSON.parse(readFileSync(`${stem}.tokens.json`, 'utf8')) as Texts;
  const file = await convert(`${stem}.f16.gguf`, 'q8_0', 'vocabulary.gguf');
  const answer = (await peer.ask({ tokenize: file, texts: strings.map(({ base64 }) => base64) })) as {
    tokens: readonly (readonly number[])[];
  };
  const same = strings.filter(({ ids }, i) => ids.join() === answer.tokens[i]?.join()).length;
  if (same !== strings.length) failures.push('token ids');
  return `Token ids with the vocabulary in a written file: ${same} of ${strings.length} texts the same.`;
}

const { values } = parseArgs({ options: { python: { type: 'string', default: 'python3' } } });
const folder = mkdtempSync(join(tmpdir(), 'llama-cpp-'));
const peer = new Peer(values.python);
try {
  const head = ['model', 'written as', 'NMSE as f32', 'NMSE as it is', 'same likeliest token', 'by its own quantiser'];
  const rows: string[][] = [];
  for (const model of models) for (const type of TYPES) rows.push(await compare(peer, model, type));
  const table = [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
  const report = `${table}\n\n${await compareTokens(peer)}\n`;
  process.stdout.write(report);
  const page = join(root, 'tools/llama-cpp/README.md');
  const between = /(?<=<!-- table -->\n).*(?=<!-- end -->)/s;
  writeFileSync(page, readFileSync(page, 'utf8').replace(between, report));
} finally {
  peer.close();
  rmSync(folder, { recursive: true });
}
for (const failure of failures) console.error(`not the same: ${failure}`);
process.exitCode = failures.length === 0 ? 0 : 1;
