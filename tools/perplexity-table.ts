/**
 * Measures the bundled model on a held-out text through every format and type, by the command line, and writes the table of
 * docs/perplexity.md.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vocabularyText } from './story-model/tokens.ts';
import { root } from './workspace.ts';

const BYTES = 65_536;
/** That of no text the model was trained on. */
const SEED = 4;

const page = join(root, 'docs/perplexity.md');
const bundled = join(root, 'packages/model-stories/stories.gguf');
const folder = mkdtempSync(join(tmpdir(), 'perplexity-'));
const vocabulary = join(folder, 'vocabulary.txt');

interface Measured {
  readonly nll: number;
  readonly ppl: number;
  readonly bitsPerByte: number;
  readonly backend: string;
  readonly adapter: string;
}

/** What the generator says of its text. */
interface Corpus {
  readonly documents: number;
  readonly bytes: number;
  readonly bitsPerByte: number;
}

/** A way to keep the model: what it is converted to, or how its weights are held. */
interface Way {
  readonly out?: string;
  readonly dtype?: string;
  readonly weights?: string;
}

const WAYS: readonly Way[] = [
  {},
  ...['f32', 'f16', 'bf16'].map((dtype) => ({ out: '.safetensors', dtype })),
  ...['f32', 'f16', 'q8_0', 'q4_0'].map((dtype) => ({ out: '.gguf', dtype })),
  ...['bf16', 'q8_0', 'q4_0'].map((weights) => ({ weights })),
];

function node(args: readonly string[]): string {
  return execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 });
}

function receptance(...args: readonly string[]): string {
  return node(['--conditions=@receptance/source', 'apps/cli/src/main.ts', ...args, '--json']);
}

function measure({ out, dtype, weights }: Way, text: string): string[] {
  const model = out === undefined ? bundled : join(folder, `${dtype}${out}`);
  if (out !== undefined) receptance('convert', '--model', bundled, '--out', model, '--dtype', String(dtype));
  const held = weights === undefined ? [] : ['--weights', weights];
  // A .safetensors has no place for the vocabulary that the bundled .gguf brings along.
  const tokenizer = out === '.safetensors' ? ['--tokenizer', vocabulary] : [];
  const measured = JSON.parse(
    receptance('perplexity', '--model', model, '--file', text, ...tokenizer, ...held),
  ) as Measured;
  baseline ??= measured;
  const { nll, ppl, bitsPerByte } = measured;
  const size = `${(statSync(model).size / 1e6).toFixed(2)} MB`;
  return [
    out === undefined ? '`stories.gguf`' : `\`${out}\``,
    weights === undefined ? (dtype ?? 'f16, as bundled') : `\`--weights ${weights}\``,
    weights === undefined ? size : '',
    nll.toFixed(5),
    ppl.toFixed(5),
    bitsPerByte.toFixed(5),
    measured === baseline ? '' : `${(100 * (ppl / baseline.ppl - 1)).toFixed(3)} %`,
  ];
}

let baseline: Measured | undefined;
try {
  writeFileSync(vocabulary, vocabularyText());
  const text = join(folder, 'heldout.jsonl');
  const seeded = ['--bytes', String(BYTES), '--seed', String(SEED)];
  const facts = JSON.parse(node(['tools/story-model/corpus.ts', ...seeded, '--out', text, '--json'])) as Corpus;
  const head = ['file', 'type', 'size', 'nll (nats)', 'perplexity', 'bits per byte', 'against the file as bundled'];
  const rows = WAYS.map((way) => measure(way, text));
  const table = [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
  const { documents, bytes, bitsPerByte } = facts;
  const about = `${documents} documents of seed ${SEED}, ${bytes} bytes, whose entropy is ${bitsPerByte.toFixed(5)} bits per byte. Backend: ${baseline?.backend} (${baseline?.adapter}).`;
  const between = /(?<=<!-- table -->\n).*(?=<!-- end -->)/s;
  writeFileSync(page, readFileSync(page, 'utf8').replace(between, `${table}\n\n${about}\n`));
  process.stdout.write(`${table}\n\n${about}\n`);
} finally {
  rmSync(folder, { recursive: true });
}
