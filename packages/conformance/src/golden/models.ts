import type { Checkpoint } from '@receptance/checkpoint';
import { detectModel, type Device, differentiate, type LanguageModel, leaves, logitsGraph, lossGraph } from '@receptance/core';
import { type Case, EXACT, multipliesBlocks } from '../case.ts';
import type { Check } from '../check.ts';
import type { Tolerances } from '../compare.ts';
import { ModelRunner } from '../model-runner.ts';
import { guard, runCase } from '../run-case.ts';
import { Verdict } from '../verdict.ts';
import { type GoldenFile, GoldenTensors, openGolden } from './files.ts';

/** f32 runtimes agree with these goldens to 1e-6…4e-6. The largest logits are about 10: in f32, 1e-4 at most there. */
const LOGITS: Tolerances = { f64: { nmse: 1e-24, maxAbs: 1e-11 }, f32: { nmse: 1e-11, maxAbs: 1e-5 } };
/** The goldens of RWKV-7 on rounded weights were made with its decay constant e^{−1/2} rounded to 0.606531. */
const ROUNDED_RWKV7: Tolerances = { f64: { nmse: 1e-13, maxAbs: 1e-6 }, f32: LOGITS.f32 };
const STATES: Tolerances = { f64: { nmse: 1e-24, maxAbs: 1e-11 }, f32: { nmse: 1e-11, maxAbs: 1e-5 } };
/** Gradients are small numbers: what counts is the NMSE. */
const GRADIENTS: Tolerances = { f64: { nmse: 1e-18, maxAbs: 1e-9 }, f32: { nmse: 1e-9, maxAbs: 2e-5 } };
const LOSS: Tolerances = { f64: { nmse: 1e-24, maxAbs: 1e-12 }, f32: { nmse: 1e-11, maxAbs: 1e-5 } };

/** Below this distance of the two largest logits an f32 device may choose the other. */
const CLEAR_MARGIN = 1e-3;

/** Slot 1 of 3, so that neither the first nor the last row of the pools is the right one by chance. */
const SLOT = 1;

const OPS = ['block7', 'linear', 'gather', 'layerNorm'];

interface Files {
  readonly checkpoint: GoldenFile;
  readonly golden: GoldenFile;
}

interface Opened {
  readonly golden: GoldenTensors;
  readonly checkpoint: Checkpoint;
  readonly model: LanguageModel;
}

/**
 * What a golden file says about a checkpoint: one check for each kind of result.
 * @param names the golden's tensors
 * @param suffix ends the names of the results that are for this checkpoint: ``, `_rbf16w`, `_rfp16w`
 */
export function modelChecks(files: Files, names: readonly string[], suffix: string): Check[] {
  // `logits_rescaled`, of files whose matrices are stored halved, is left out: the reader undoes the halving.
  const logits = `logits${suffix}`;
  const greedy = `greedy${suffix}`;
  const checks: Check[] = [];
  if (names.includes(logits)) checks.push(runnerCheck('logits', files, (context) => checkLogits(context, logits)));
  if (suffix === '' && names.some((name) => name.startsWith('state.'))) {
    checks.push(runnerCheck('state', files, checkStates));
  }
  if (names.includes(greedy)) checks.push(runnerCheck('greedy', files, (context) => checkGreedy(context, greedy)));
  if (suffix === '' && names.includes('nll')) checks.push(lazyCase('nll', files, lossesCase));
  return checks;
}

/** Loss and gradients of a whole model against those of a `.grads.safetensors`. */
export function gradientCheck(files: Files): Check {
  return lazyCase('gradients', files, gradientsCase);
}

async function open({ checkpoint, golden }: Files): Promise<Opened> {
  const opened = await openGolden(checkpoint);
  return {
    checkpoint: opened,
    golden: new GoldenTensors(await openGolden(golden)),
    model: detectModel(opened.tensors),
  };
}

/** A case that is read from its files when it is run. */
function lazyCase(kind: string, files: Files, make: (id: string, opened: Opened) => Promise<Case>): Check {
  const id = `golden/${kind}/${files.checkpoint.name}`;
  return {
    ...{ id, what: OPS },
    run: (device, options) => guard(id, async () => runCase(device, await make(id, await open(files)), options)),
  };
}

async function lossesCase(id: string, { golden, checkpoint, model }: Opened): Promise<Case> {
  const text = await golden.integers('seq200');
  const N = text.length - 1;
  return {
    ...{ id, graph: lossGraph(model), weights: checkpoint, sizes: { N, S: 1 }, tolerances: LOGITS, once: true },
    inputs: { tokens: text.slice(0, -1), targets: text.slice(1), starts: Int32Array.of(0, N) },
    expected: { outputs: { losses: await golden.floats('nll') } },
  };
}

async function gradientsCase(id: string, { golden, checkpoint, model }: Opened): Promise<Case> {
  const graph = lossGraph(model);
  const used = leaves(graph, 'parameter');
  const outputs: Record<string, Float64Array> = { loss: await golden.floats('loss') };
  const wrt: string[] = [];
  for (const name of golden.names('grad.')) {
    const want = await golden.floats(`grad.${name}`);
    if (used.has(name)) {
      outputs[`grad.${name}`] = want;
      wrt.push(name);
    } else if (want.some((x) => x !== 0)) throw new Error(`the model does not use ${name}, which has a gradient`);
  }
  const missing = [...used.keys()].filter((name) => !wrt.includes(name));
  if (missing.length > 0) throw new Error(`no gradient is stored for ${missing.join(', ')}`);
  const [S = 1, T = 0] = golden.shape('idx');
  return {
    ...{ id, graph: differentiate(graph, 'loss', wrt), weights: checkpoint, sizes: { N: S * T, S } },
    inputs: {
      ...{ tokens: await golden.integers('idx'), targets: await golden.integers('tgt') },
      starts: Int32Array.from({ length: S + 1 }, (_, s) => s * T),
    },
    expected: { outputs, roundedToF32: wrt.map((name) => `grad.${name}`).filter((name) => golden.isF32(name)) },
    ...{ tolerances: GRADIENTS, tolerancesOf: { loss: LOSS }, once: true },
  };
}

interface Context {
  readonly device: Device;
  readonly verdict: Verdict;
  readonly golden: GoldenTensors;
  readonly runner: ModelRunner;
  readonly architecture: string;
}

function runnerCheck(kind: string, files: Files, body: (context: Context) => Promise<void>): Check {
  const id = `golden/${kind}/${files.checkpoint.name}`;
  return {
    ...{ id, what: OPS },
    run: (device, { tolerance }) =>
      guard(id, async () => {
        const { golden, checkpoint, model } = await open(files);
        const verdict = new Verdict(id, device.info, tolerance, multipliesBlocks(logitsGraph(model)));
        const runner = await ModelRunner.open(device, model, checkpoint, { N: 64, S: 2, Z: 3 });
        try {
          await body({ device, verdict, golden, runner, architecture: model.architecture });
        } finally {
          runner.free();
        }
        return verdict.result();
      }),
  };
}

async function checkLogits({ golden, verdict, runner, architecture }: Context, name: string): Promise<void> {
  const tokens = await golden.integers('prompt');
  const tolerances = architecture === 'rwkv7' && /_r(bf|fp)16w$/.test(name) ? ROUNDED_RWKV7 : LOGITS;
  verdict.compare('logits', await runner.logits([{ slot: SLOT, tokens }]), await golden.floats(name), tolerances);
}

async function checkStates({ golden, verdict, runner }: Context): Promise<void> {
  await runner.logits([{ slot: SLOT, tokens: await golden.integers('prompt') }]);
  const state = await runner.state(SLOT);
  for (const entry of golden.names('state.')) {
    const name = `state.${entry}`;
    const made = state[name];
    if (made === undefined) verdict.problem(`the model has no ${name}`);
    else verdict.compare(name, made, await golden.floats(name), STATES, golden.isF32(name));
  }
}

async function checkGreedy({ device, golden, verdict, runner }: Context, name: string): Promise<void> {
  const want = await golden.integers(name);
  const margins = golden.has('greedy_margin') ? await golden.floats('greedy_margin') : new Float64Array();
  const unclear = device.info.float === 'f32' ? margins.findIndex((margin) => margin < CLEAR_MARGIN) : -1;
  const length = unclear < 0 ? want.length : unclear;
  const got = await runner.greedy([{ slot: SLOT, tokens: await golden.integers('prompt') }], want.length);
  verdict.compare('greedy', got.subarray(0, length), want.subarray(0, length), EXACT);
}
