import type { Checkpoint } from '@receptance/checkpoint';
import { detectModel, ReceptanceError } from '@receptance/core';
import { caseCheck, type Check, settledCheck } from '../check.ts';
import { aftCases } from './aft.ts';
import { type GoldenFile, GoldenTensors, openGolden } from './files.ts';
import { gradientCheck, modelChecks } from './models.ts';
import { wkvCases } from './ops.ts';
import { transformerCase } from './transformer.ts';

const GOLDEN = '.golden.safetensors';
const GRADIENTS = '.grads.safetensors';
const CHECKPOINT = /\.(pth|safetensors|gguf)$/;
/** What lies beside the weights in a folder as Hugging Face lays it out. */
const COMPANION = /\/(config|generation_config|tokenizer|tokenizer_config)\.json$/;
/** Errors that say that a file is of a kind not read yet, not that it is broken. */
const NOT_YET: readonly string[] = ['UNKNOWN_MODEL', 'UNSUPPORTED_FORMAT', 'UNSUPPORTED_DTYPE'];

/**
 * Makes checks of all golden files: cases of ops (by the header's `op`), and results and gradients of models beside the
 * checkpoints they belong to. What it has no check for is settled as `unknown` or `unsupported`, with the reason, and
 * never passed over.
 */
export async function goldenChecks(files: readonly GoldenFile[]): Promise<Check[]> {
  const sorted = [...files].sort((a, b) => (a.name < b.name ? -1 : 1)).filter(({ name }) => !name.endsWith('.md'));
  const checks: Check[] = [];
  const taken = new Set<string>();
  for (const file of sorted) {
    const suffix = [GOLDEN, GRADIENTS].find((ending) => file.name.endsWith(ending));
    if (suffix === undefined) continue;
    const stem = file.name.slice(0, -suffix.length);
    const beside = checkpointsOf(stem, sorted);
    for (const { name } of sorted) if (name.startsWith(`${stem}/`) && COMPANION.test(name)) taken.add(name);
    for (const { name } of [file, ...beside]) taken.add(name);
    checks.push(...(await settled(file, () => (suffix === GOLDEN ? resultChecks(file, beside) : gradientChecks(file, beside)))));
  }
  for (const file of sorted.filter(({ name }) => !taken.has(name))) {
    checks.push(...(await settled(file, () => otherChecks(file))));
  }
  return checks;
}

/**
 * The checkpoints that a golden of this stem speaks of: `<stem>.pth`, `<stem>.bf16.pth`, …, the file `<stem>` itself
 * (a stem may end in `.gguf`), and those in a folder `<stem>`. A file with a golden of its own is left to that.
 */
function checkpointsOf(stem: string, files: readonly GoldenFile[]): GoldenFile[] {
  const names = new Set(files.map(({ name }) => name));
  const isResult = (name: string): boolean => name.endsWith(GOLDEN) || name.endsWith(GRADIENTS);
  return files.filter(({ name }) => {
    if (!CHECKPOINT.test(name) || isResult(name)) return false;
    if (name === stem || name.startsWith(`${stem}/`)) return true;
    return name.startsWith(`${stem}.`) && !names.has(`${name}${GOLDEN}`);
  });
}

async function settled(file: GoldenFile, make: () => Promise<Check[]>): Promise<Check[]> {
  try {
    return await make();
  } catch (error) {
    return [notYet(`golden/unknown/${file.name}`, error)];
  }
}

/** What cannot be read yet is `unsupported`; any other error is the failure of a check of its own. */
function notYet(id: string, error: unknown): Check {
  if (ReceptanceError.isInstance(error) && NOT_YET.includes(error.code)) {
    return settledCheck(id, 'unsupported', error.message);
  }
  const reason = ReceptanceError.isInstance(error) ? `${error.code}: ${error.message}` : String(error);
  return { id, what: [], run: async () => ({ id, status: 'failed', reason }) };
}

async function resultChecks(golden: GoldenFile, checkpoints: readonly GoldenFile[]): Promise<Check[]> {
  if (checkpoints.length === 0) return [noCheckpoint(golden)];
  const opened = await openGolden(golden);
  const names = [...opened.tensors.keys()];
  const roundings = new Map<string, string>();
  const checks: Check[] = [];
  const readable: GoldenFile[] = [];
  for (const file of checkpoints) {
    try {
      const checkpoint = await openGolden(file);
      detectModel(checkpoint.tensors);
      roundings.set(file.name, roundingOf(checkpoint));
      readable.push(file);
    } catch (error) {
      checks.push(notYet(`golden/logits/${file.name}`, error));
    }
  }
  // Results without a suffix are of the file in f32; where there is none, of the only file there is.
  const hasPlain = [...roundings.values()].includes('');
  for (const checkpoint of readable) {
    const rounding = roundings.get(checkpoint.name) ?? '';
    const suffix = names.includes(`logits${rounding}`) ? rounding : hasPlain ? undefined : '';
    const made = suffix === undefined ? [] : modelChecks({ checkpoint, golden }, names, suffix);
    const reason = `${golden.name} has no results for its weights`;
    checks.push(...(made.length > 0 ? made : [settledCheck(`golden/logits/${checkpoint.name}`, 'unknown', reason)]));
  }
  return checks;
}

/** How a checkpoint's weights were rounded when it was saved, as the names of results end. */
function roundingOf({ tensors }: Checkpoint): '' | '_rbf16w' | '_rfp16w' {
  const dtypes = new Set([...tensors.values()].map(({ dtype }) => dtype));
  if (dtypes.has('bf16')) return '_rbf16w';
  return dtypes.has('f16') ? '_rfp16w' : '';
}

async function gradientChecks(golden: GoldenFile, checkpoints: readonly GoldenFile[]): Promise<Check[]> {
  const checks: Check[] = [];
  for (const checkpoint of checkpoints) {
    try {
      const opened = await openGolden(checkpoint);
      detectModel(opened.tensors);
      if (roundingOf(opened) === '') checks.push(gradientCheck({ checkpoint, golden }));
    } catch (error) {
      checks.push(notYet(`golden/gradients/${checkpoint.name}`, error));
    }
  }
  return checks.length > 0 ? checks : [noCheckpoint(golden)];
}

function noCheckpoint(golden: GoldenFile): Check {
  return settledCheck(`golden/unknown/${golden.name}`, 'unknown', 'no checkpoint that it speaks of lies beside it');
}

/** A file that is neither a model's results nor one of its checkpoints: a case of an op, or something unknown. */
async function otherChecks(file: GoldenFile): Promise<Check[]> {
  const id = `golden/unknown/${file.name}`;
  if (file.name.endsWith('.tokens.json')) {
    return [settledCheck(id, 'unknown', 'token ids of strings hold a tokenizer, not a backend')];
  }
  if (!file.name.endsWith('.safetensors')) return [settledCheck(id, 'unknown', 'no kind of golden file is called so')];
  const golden = new GoldenTensors(await openGolden(file));
  const op = golden.metadata['op'];
  const name = `golden/op/${file.name.slice(0, -'.safetensors'.length)}`;
  switch (op) {
    case 'wkv4':
    case 'wkv5':
    case 'wkv6':
    case 'wkv7':
      return (await wkvCases(name, golden)).map(caseCheck);
    case 'aft': {
      const causal = /causal([01])/.exec(file.name)?.[1];
      if (causal === undefined) return [settledCheck(id, 'unknown', 'its name does not say whether it is causal')];
      const { cases, unknown } = await aftCases(name, golden, causal === '1');
      const others = unknown.map((output) => settledCheck(`${name}/${output}`, 'unknown', `no graph for ${output}`));
      return [...cases.map(caseCheck), ...others];
    }
    case 'transformer':
      return [caseCheck(await transformerCase(name, golden))];
    case undefined:
      return [settledCheck(id, 'unknown', 'its header names no op, and no golden file speaks of it')];
    default:
      return [settledCheck(id, 'unknown', `no cases are made of op ${op}`)];
  }
}
