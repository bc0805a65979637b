import { randomInt } from 'node:crypto';
import { renameSync, rmSync } from 'node:fs';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  type AbortSignalLike,
  type DeviceInfo,
  detectModel,
  type Graph,
  type LanguageModel,
  logitsGraph,
  type ModelOptions,
  type ParameterEntry,
  type ProgressListener,
  parameterUses,
  plan,
  quantizedSource,
  ReceptanceError,
  resetGraph,
  resolveParameters,
  sampleGraph,
  supportedBy,
  type WeightSource,
} from '@receptance/core';
import { type DataFileOptions, dataFileBytes, writeDataFile } from '../data-file.ts';
import { kernels } from '../kernel-table.ts';
import type { Activations, Form, Target } from '../lowering/lowering.ts';
import { lowerModel } from '../lowering/model.ts';
import type { LoopKind } from '../lowering/ports.ts';
import type { DataFile } from '../lowering/stored.ts';
import { domainsOf, encodeModel } from '../proto/model.ts';
import { writing } from '../writing.ts';
import { OPSETS } from './opsets.ts';
import { SUMMED, SUMS, sumOf } from './sums.ts';
import { RUN_PY, readme } from './texts.ts';

export interface ExportOptions extends ModelOptions {
  /** Quantise the big matrices in blocks; by default they are written as they are stored. */
  readonly quant?: 'q8_0' | 'q4_0' | undefined;
  /** Ops of the ONNX standard alone, so that any runtime takes the files. */
  readonly standard?: boolean | undefined;
  /** Version of the standard: 18 to 23. Default 21, which blocks need. */
  readonly opset?: number | undefined;
  /** How activations meet weights in blocks, which `standard` leaves no choice of. Default `exact`. */
  readonly activations?: Activations | undefined;
  /** Replace the folder when it is there, and holds nothing but an export. */
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignalLike | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

export interface Exported {
  readonly architecture: string;
  readonly opset: number;
  /** Files by name, with their bytes. */
  readonly files: Readonly<Record<string, number>>;
}

/** The models that are written, over one file of weights. */
interface Part {
  readonly name: 'initial' | 'model' | 'decode';
  readonly graph: Graph;
  readonly form: Form;
  readonly loop?: LoopKind;
  readonly doc: string;
}

const REMEDY = 'give a path in a folder that exists, may be written to and has room';

/**
 * Writes a checkpoint as ONNX models over one file of weights, with a README and a Python script that runs them. The folder
 * is there whole or not at all, and one that it replaces stays until then; weights pass through memory a few MiB at a time.
 * @throws ReceptanceError `BAD_OPTION`, `UNSUPPORTED_OPSET`, `FILE_EXISTS`, `WRITE_FAILED`, and what a damaged checkpoint causes
 */
export async function exportOnnx(source: WeightSource, path: string, options: ExportOptions = {}): Promise<Exported> {
  const { quant, standard = false, opset = 21, activations = 'exact', force = false, signal, onProgress } = options;
  if (standard && options.activations !== undefined) {
    throw new ReceptanceError('BAD_OPTION', 'activations have no effect on ops of the standard', {
      hint: 'leave out activations, or standard',
    });
  }
  // A trailing slash would put what is written beside the folder inside it.
  const folder = resolve(path);
  const weights = quant === undefined ? source : quantizedSource(source, quant);
  checkOpset(opset, weights);
  const model = detectModel(weights.tensors, options);
  await checkFolder(folder, force);
  const parts = partsOf(model);
  const entries = resolveParameters(
    weights,
    parts.map(({ graph }) => graph),
    { Z: 1 },
  ).filter(({ kind }) => kind === 'parameter');
  // Not the process's id: in a container one that was killed may have had the same.
  const digits = randomInt(2 ** 47);
  const partial = `${folder}.${digits}.partial`;
  const replaced = `${folder}.${digits}.old`;
  const write = <T>(task: () => T | Promise<T>): Promise<T> => writing(folder, REMEDY, task);
  // A second Ctrl-C ends the process where it stands.
  const remove = (): void => rmSync(partial, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    await write(() => mkdir(partial));
    const form = {
      ...{ remedy: REMEDY, signed: standard, keepHalves: true },
      ...{ tables: tablesOf(parts), signal },
    } satisfies DataFileOptions;
    const total = dataFileBytes(entries, form);
    const onBytes = (done: number): void => onProgress?.({ what: 'writing weights', done, total });
    const data = await writeDataFile(join(partial, 'weights.bin'), 'weights.bin', entries, weights, {
      ...form,
      onBytes,
    });
    const texts = textsOf(model, parts, data, { standard, opset, activations }, entries);
    for (const [name, bytes] of texts) await write(() => writeFile(join(partial, name), bytes));
    const sums = await write(() => sumsOf(partial, signal));
    await write(() => writeFile(join(partial, SUMS), sums));
    // It may have come, or something else into it, while this was written.
    if (await checkFolder(folder, force)) {
      await write(() => replace(folder, partial, replaced));
      await writing(replaced, 'it is the export that was there before: remove it', () =>
        rm(replaced, { recursive: true }),
      );
    } else await write(() => renameSync(partial, folder));
    const sizes = [...texts].map(([name, bytes]): [string, number] => [name, bytes.length]);
    const files = Object.fromEntries([...sizes, ['weights.bin', total], [SUMS, sums.length]]);
    return { architecture: model.architecture, opset, files };
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  } finally {
    process.off('exit', remove);
  }
}

function checkOpset(opset: number, { tensors }: WeightSource): void {
  const { least, most, blocks } = OPSETS;
  if (!Number.isInteger(opset) || opset < least || opset > most) {
    throw new ReceptanceError('UNSUPPORTED_OPSET', `opset ${opset} cannot be written`, {
      hint: `versions ${least} to ${most} can`,
    });
  }
  const hasBlocks = [...tensors.values()].some(({ dtype }) => dtype === 'q8_0' || dtype === 'q4_0');
  if (!hasBlocks || opset >= blocks) return;
  throw new ReceptanceError('UNSUPPORTED_OPSET', `opset ${opset} has no weights in blocks`, {
    hint: `use opset ${blocks}, or do not quantise`,
  });
}

function partsOf(model: LanguageModel): Part[] {
  return [
    {
      ...{ name: 'initial', graph: resetGraph(model), form: 'even' },
      doc: 'The states that S texts begin with.',
    },
    {
      ...{ name: 'model', graph: logitsGraph(model), form: 'even' },
      doc: 'Reads N tokens, N / S of each text one after the other, and gives the logits after the tokens that rows names.',
    },
    {
      ...{ name: 'decode', graph: sampleGraph(model), form: 'single' },
      loop: { carry: { tokens: 'next' }, feed: ['u'], collect: ['next'] },
      doc: 'Continues S texts by as many tokens as steps says: each is drawn, and read by the next step.',
    },
  ];
}

/** Parameters that rows are picked from. */
function tablesOf(parts: readonly Part[]): Set<string> {
  const uses = parts.flatMap(({ graph }) => [...parameterUses(graph)]);
  return new Set(
    uses.flatMap(([name, all]) =>
      all.some(({ node, name: port }) => node?.op === 'gather' && port === 'table') ? [name] : [],
    ),
  );
}

const INFO: DeviceInfo = { backend: 'onnx', adapter: 'file', threads: 1, float: 'f32', ragged: false };

function textsOf(
  model: LanguageModel,
  parts: readonly Part[],
  data: DataFile,
  { opset, ...lowering }: Pick<Target, 'standard' | 'activations'> & { readonly opset: number },
  entries: readonly ParameterEntry[],
): Map<string, Uint8Array> {
  const { architecture, layers, width, vocabularySize } = model;
  const facts = { architecture, layers, width, vocabularySize };
  const metadata = Object.fromEntries(Object.entries(facts).map(([key, value]) => [key, String(value)]));
  const target: Omit<Target, 'form'> = { provider: 'any', recurrence: 'attention', ...lowering };
  const files = new Map<string, Uint8Array>();
  const domains = new Set<string>();
  for (const { name, graph, form, loop, doc } of parts) {
    const supports = (node: Parameters<typeof supportedBy>[2]): true | string => supportedBy(kernels, INFO, node);
    const planned = plan(graph, { supports, backend: 'onnx' }, { N: 1, S: 1, R: 1, Z: 1 }).graph;
    const request = { graph: planned, kernels, info: INFO, data, target: { ...target, form }, fixed: {}, loop };
    const lowered = lowerModel({ ...request, opset, doc, metadata }).model;
    for (const domain of domainsOf(lowered.graph)) domains.add(domain);
    files.set(`${name}.onnx`, encodeModel(lowered));
  }
  const encoder = new TextEncoder();
  const types = [...new Set(entries.map(({ stored, value }) => (stored === undefined ? value.dtype : stored.dtype)))];
  files.set('README.md', encoder.encode(readme({ ...facts, domains: [...domains], opset, types })));
  files.set('run.py', encoder.encode(RUN_PY));
  return files;
}

async function sumsOf(folder: string, signal: AbortSignalLike | undefined): Promise<string> {
  let text = '';
  for (const name of SUMMED) text += `${await sumOf(join(folder, name), signal)}  ${name}\n`;
  return text;
}

const FILES: readonly string[] = [SUMS, ...SUMMED];

/** Whether there is something to replace: an export, and nothing else. @throws ReceptanceError `FILE_EXISTS`, `WRITE_FAILED` */
async function checkFolder(folder: string, force: boolean): Promise<boolean> {
  const there = await stat(folder).catch(() => undefined);
  if (there === undefined) return false;
  const names = there.isDirectory() ? await writing(folder, REMEDY, () => readdir(folder)) : [];
  const others = there.isDirectory() ? names.filter((name) => !FILES.includes(name)) : [folder];
  if (force && others.length === 0) return true;
  const holds = others.length > 0 && there.isDirectory() ? ` and holds ${others[0]}, which is not of an export` : '';
  throw new ReceptanceError('FILE_EXISTS', `${folder} is there already${holds}`, {
    hint: others.length > 0 ? 'give another path' : 'give another path, or --force to replace it',
  });
}

/** Puts one folder in the place of another, which is then aside; where that fails it is as it was. In one go: no exit comes between. */
function replace(folder: string, by: string, aside: string): void {
  renameSync(folder, aside);
  try {
    renameSync(by, folder);
  } catch (error) {
    renameSync(aside, folder);
    throw error;
  }
}
