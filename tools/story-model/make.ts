/** Makes the model of `packages/model-stories` from nothing, by the command line of this repository: see README.md. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { wasm } from '../../packages/backend-wasm/src/index.ts';
import { openCheckpointFile } from '../../packages/checkpoint/src/node.ts';
import { loadFile } from '../../packages/receptance/src/node.ts';
import { root } from '../workspace.ts';
import { type Facts, generate, writeCorpus } from './corpus.ts';
import { evaluate } from './evaluate.ts';
import { samplesPage } from './samples.ts';
import { VOCABULARY, vocabularyText } from './tokens.ts';

const help = `Makes the stories model from nothing: vocabulary, corpora, two trainings, the file, what it can do.

  node --conditions=@receptance/source tools/story-model/make.ts --work FOLDER [--install]

Stopped by Ctrl-C, or by anything else, the same command goes on where it was.

Options
  --work FOLDER   where everything goes: about 300 MB
  --install       put model, facts and samples into this repository
  --part X        of all corpora and steps, to try the command (default: 1)
  --help          this text`;

/** Everything that decides what comes out, besides the code. */
const RECIPE = {
  /** Sheets of sums in three documents; the generator's own part where none is said. */
  drill: { bytes: 16_000_000, seed: 3, drilling: true, sheets: 1.2 },
  train: { bytes: 60_000_000, seed: 1 },
  heldOut: { bytes: 1_000_000, seed: 2 },
  common: ['--backend', 'wasm', '--held-out', '0', '--optimiser', 'muon', '--weight-decay', '0.05'],
  drilled: {
    steps: 1000,
    options: [
      ...['--layers', '5', '--width', '128', '--batch', '8', '--length', '128', '--seed', '1'],
      ...['--schedule', 'constant', '--warmup', '100', '--rate', '0.005'],
    ],
  },
  trained: {
    steps: 7000,
    options: [
      ...['--batch', '4', '--length', '256', '--seed', '2'],
      ...['--schedule', 'wsd', '--decay', '1', '--warmup', '20', '--rate', '0.004', '--final-rate', '0.00004'],
    ],
  },
} as const;

const PACKAGE = join(root, 'packages/model-stories');

/** Runs the command line; its progress is seen, and Ctrl-C reaches it first: it saves. */
function receptance(...args: readonly string[]): void {
  const node = ['--conditions=@receptance/source', join(root, 'apps/cli/src/main.ts')];
  const { status } = spawnSync(process.execPath, [...node, ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) process.exit(status ?? 1);
}

/** Begins a training, or goes on with it; one that has ended says so at once. */
function train(out: string, begin: readonly string[]): void {
  process.stdout.write(`\n${out}\n`);
  const begun = existsSync(join(out, 'training.safetensors'));
  receptance('train', '--out', out, ...(begun ? ['--resume'] : ['--force', ...begin]));
}

interface LogLine {
  readonly tokens?: number;
  readonly milliseconds?: number;
}

function spentOn(folders: readonly string[]): {
  trainingTokens: number;
  trainingSteps: number;
  trainingMinutes: number;
} {
  const lines = folders.flatMap((folder) =>
    readFileSync(join(folder, 'log.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as LogLine),
  );
  const steps = lines.filter(({ tokens }) => tokens !== undefined);
  const milliseconds = steps.reduce((sum, each) => sum + (each.milliseconds ?? 0), 0);
  return {
    trainingTokens: steps.reduce((sum, { tokens = 0 }) => sum + tokens, 0),
    trainingSteps: steps.length,
    trainingMinutes: Math.round(milliseconds / 600) / 100,
  };
}

/** The documents of a corpus, without their ends. */
function documentsOf(options: Parameters<typeof generate>[0]): { documents: string[]; facts: Facts } {
  const documents: string[] = [];
  const facts = generate(options, (text) => documents.push(text.slice(0, -1)));
  return { documents, facts };
}

async function make(work: string, part: number): Promise<string> {
  mkdirSync(work, { recursive: true });
  const at = (name: string): string => join(work, name);
  const shrunk = <T extends { readonly bytes: number }>(corpus: T): T => ({ ...corpus, bytes: corpus.bytes * part });
  const steps = (count: number): string => `${Math.max(1, Math.round(count * part))}`;

  writeFileSync(at('vocabulary.txt'), vocabularyText());
  for (const name of ['drill', 'train'] as const) {
    const path = at(`${name}.jsonl`);
    if (existsSync(path)) continue;
    // One that is there is whole.
    writeCorpus(at(`${name}.part.jsonl`), shrunk(RECIPE[name]));
    renameSync(at(`${name}.part.jsonl`), path);
  }
  const common = [...RECIPE.common, '--tokenizer', at('vocabulary.txt')];
  const { drilled, trained } = RECIPE;
  train(at('drilled'), [
    ...[...common, '--data', at('drill.jsonl'), '--vocabulary-size', `${VOCABULARY}`],
    ...[...drilled.options, '--steps', steps(drilled.steps)],
  ]);
  train(at('trained'), [
    ...[...common, '--data', at('train.jsonl'), '--model', at('drilled/model.safetensors')],
    ...[...trained.options, '--steps', steps(trained.steps)],
  ]);
  const model = at('stories.gguf');
  const from = ['--model', at('trained/model.safetensors'), '--tokenizer', at('vocabulary.txt')];
  receptance('convert', ...from, '--dtype', 'f16', '--out', model, '--force');

  process.stdout.write('\nwhat it can do\n');
  const opened = await loadFile(model, { backend: wasm(), maxSequences: 16 });
  try {
    const held = documentsOf(shrunk(RECIPE.heldOut));
    const corpus = documentsOf(shrunk(RECIPE.train));
    const { heldOut, firstChoiceRight } = await evaluate(opened, held.documents);
    const file = readFileSync(model);
    const facts = {
      ...{ architecture: opened.architecture, layers: opened.layers, width: opened.width },
      ...{ vocabulary: opened.vocabularySize, dtype: 'f16', parameters: await parametersOf(model) },
      ...spentOn([at('drilled'), at('trained')]),
      corpora: Object.fromEntries((['drill', 'train', 'heldOut'] as const).map((name) => [name, shrunk(RECIPE[name])])),
      entropyBitsPerByte: entropyOf(held.facts),
      heldOutBitsPerByte: heldOut,
      firstChoiceRight,
      ...{ bytes: file.length, sha256: createHash('sha256').update(file).digest('hex') },
    };
    const text = `${JSON.stringify(facts, undefined, 2)}\n`;
    writeFileSync(at('model.json'), text);
    writeFileSync(at('samples.md'), await samplesPage(opened, new Set(corpus.documents)));
    return text;
  } finally {
    await opened.close();
  }
}

function entropyOf({ bitsPerByte, stories, sums }: Facts): Readonly<Record<string, number>> {
  const of = ({ bits, bytes }: { bits: number; bytes: number }): number => Number((bits / bytes).toFixed(5));
  return { all: Number(bitsPerByte.toFixed(5)), stories: of(stories), sums: of(sums) };
}

async function parametersOf(path: string): Promise<number> {
  const checkpoint = await openCheckpointFile(path);
  try {
    return [...checkpoint.tensors.values()].reduce(
      (sum, { shape }) => sum + shape.reduce((size, side) => size * side, 1),
      0,
    );
  } finally {
    await checkpoint.close();
  }
}

function install(work: string): void {
  copyFileSync(join(work, 'stories.gguf'), join(PACKAGE, 'stories.gguf'));
  copyFileSync(join(work, 'model.json'), join(PACKAGE, 'model.json'));
  copyFileSync(join(work, 'samples.md'), join(import.meta.dirname, 'samples.md'));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      work: { type: 'string' },
      install: { type: 'boolean', default: false },
      part: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
  });
  const part = Number(values.part);
  if (values.work === undefined || values.help || !(part > 0 && part <= 1)) {
    process.stdout.write(`${help}\n`);
    if (!values.help) process.exitCode = 1;
    return;
  }
  if (values.install && part < 1) throw new Error('--install is for a whole training');
  process.stdout.write(await make(values.work, part));
  if (values.install) install(values.work);
}

await main();
