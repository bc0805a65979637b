import { closeSync, openSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { drill } from './drill.ts';
import { Page, type Part } from './grammar.ts';
import type { Chooser } from './random.ts';
import { Sampler } from './random.ts';
import { readings } from './recognise.ts';
import { story } from './stories.ts';
import { sums } from './sums.ts';

const help = `Writes a corpus of little stories and sums, and says how much information is in it.

  node tools/story-model/corpus.ts --bytes 20000000 --seed 1 --out train.bin
  node tools/story-model/corpus.ts --bytes 1000000 --seed 2 --out heldout.bin --json
  node tools/story-model/corpus.ts --show 3 --seed 7
  node tools/story-model/corpus.ts --check 200

Options
  --bytes N   stop after the document that reaches N bytes (default 1000000)
  --seed N    the corpus depends on this number alone (default 1)
  --out FILE  where it goes: ASCII documents, each ended by one byte 0; in a .jsonl each a line { "text": … }
  --json      print the figures as JSON
  --drill     mostly words that are said twice, and short stories in which everything comes again: to begin a training with
              (their figure is an upper bound: short ones can be read in more than one way)
  --sheets X  how many in three documents are sheets of sums (default: 1; with --drill 0.2)
  --show N    print N documents instead of writing a file
  --check N   read N documents back with the grammar and see that each can be made in one way only
  --help      this text

Bits per byte: every random choice adds -log2 of its probability. A text can be made in one way only (that is what
--check proves on a sample), so the sum is exactly -log2 P(text): no model can, on average, spend fewer bits than that.
The byte 0 counts as a byte and carries no information of its own.`;

/** A document: `sheets` in three are sheets of sums, the others are stories. */
export function document(chooser: Chooser, stories: Part = story, sheets = 1): Page {
  const page = new Page(chooser);
  if (chooser.choose(2, [sheets, 3 - sheets]) === 0) sums(page);
  else page.tell(stories);
  return page;
}

/** How much of a corpus documents of one kind are. */
interface Share {
  documents: number;
  bytes: number;
  bits: number;
}

export interface Facts {
  readonly seed: number;
  readonly documents: number;
  readonly bytes: number;
  readonly bits: number;
  readonly bitsPerByte: number;
  readonly stories: Share;
  readonly sums: Share;
}

/** A corpus depends on these alone. */
export interface CorpusOptions {
  readonly bytes: number;
  readonly seed: number;
  readonly drilling?: boolean;
  /** Of three documents. */
  readonly sheets?: number | undefined;
}

/** How many in three documents are sheets of sums, unless told otherwise. */
function sheetsOf(drilling: boolean): number {
  return drilling ? 0.2 : 1;
}

/** Hands finished documents (with their final 0) to `take` until `bytes` are reached. */
export function generate(
  { bytes, seed, drilling = false, sheets = sheetsOf(drilling) }: CorpusOptions,
  take: (text: string) => void,
): Facts {
  const sampler = new Sampler(seed);
  const stories: Share = { documents: 0, bytes: 0, bits: 0 };
  const sumSheets: Share = { documents: 0, bytes: 0, bits: 0 };
  let written = 0;
  while (written < bytes) {
    const before = sampler.bits;
    const page = document(sampler, drilling ? drill : story, sheets);
    const text = `${page.text}\0`;
    take(text);
    written += text.length;
    const share = text.includes(' = ') ? sumSheets : stories;
    share.documents++;
    share.bytes += text.length;
    share.bits += sampler.bits - before;
  }
  return {
    seed,
    documents: stories.documents + sumSheets.documents,
    bytes: written,
    bits: sampler.bits,
    bitsPerByte: sampler.bits / written,
    stories,
    sums: sumSheets,
  };
}

/** @param path ends in `.jsonl` for a line each, else documents are ended by a byte 0 */
export function writeCorpus(path: string, options: CorpusOptions): Facts {
  const file = openSync(path, 'w');
  let waiting = '';
  const lines = path.endsWith('.jsonl');
  const flush = (): void => {
    writeSync(file, Buffer.from(waiting, 'latin1'));
    waiting = '';
  };
  const facts = generate(options, (text) => {
    waiting += lines ? `${JSON.stringify({ text: text.slice(0, -1) })}\n` : text;
    if (waiting.length > 1 << 20) flush();
  });
  flush();
  closeSync(file);
  return facts;
}

/** Documents with other than one reading, or whose reading has other bits than the sampler counted. */
function check(documents: number, seed: number): string[] {
  const sampler = new Sampler(seed);
  const wrong: string[] = [];
  for (let i = 0; i < documents; i++) {
    const before = sampler.bits;
    const text = document(sampler).text;
    const bits = sampler.bits - before;
    const found = readings(text, document);
    const [only] = found;
    if (found.length !== 1 || only === undefined || Math.abs(only - bits) > 1e-6) {
      wrong.push(
        `${found.length} readings (${found.map((b) => b.toFixed(3)).join(', ')}; made with ${bits.toFixed(3)} bits): ${text}`,
      );
    }
  }
  return wrong;
}

function main(): void {
  const { values } = parseArgs({
    options: {
      bytes: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: '1' },
      out: { type: 'string' },
      json: { type: 'boolean', default: false },
      drill: { type: 'boolean', default: false },
      sheets: { type: 'string' },
      show: { type: 'string' },
      check: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const seed = Number(values.seed);
  const { drill: drilling } = values;
  const sheets = values.sheets === undefined ? sheetsOf(drilling) : Number(values.sheets);
  if (values.show !== undefined) {
    const sampler = new Sampler(seed);
    const stories = drilling ? drill : story;
    for (let i = 0; i < Number(values.show); i++)
      process.stdout.write(`${document(sampler, stories, sheets).text}\n\n`);
  } else if (values.check !== undefined) {
    const wrong = check(Number(values.check), seed);
    for (const line of wrong) process.stderr.write(`${line}\n\n`);
    process.stdout.write(`${values.check} documents read back, ${wrong.length} with other than one reading\n`);
    if (wrong.length > 0) process.exitCode = 1;
  } else if (values.out !== undefined && !values.help) {
    const facts = writeCorpus(values.out, { bytes: Number(values.bytes), seed, drilling, sheets });
    const line = `${facts.documents} documents, ${facts.bytes} bytes, ${facts.bitsPerByte.toFixed(5)} bits per byte`;
    process.stdout.write(`${values.json ? JSON.stringify(facts) : line}\n`);
  } else {
    process.stdout.write(`${help}\n`);
    if (!values.help) process.exitCode = 1;
  }
}

if (import.meta.main) main();
