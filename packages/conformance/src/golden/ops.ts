import { type Attrs, definitionOf, differentiate, type Graph, GraphBuilder, type Shape, type Value } from '@receptance/core';
import { type Case, NO_WEIGHTS, type Numbers } from '../case.ts';
import type { Tolerances } from '../compare.ts';
import { startsOf } from '../spec.ts';
import type { GoldenTensors } from './files.ts';

/** How a golden file of an op becomes a call of one of ours. */
interface Reading {
  readonly op: 'wkv4' | 'wkv6' | 'wkv7';
  /** Names of the file by our own, where they differ. */
  readonly names?: Readonly<Record<string, string>>;
  /** The shapes of our inputs and outputs, whatever axes the file has them in: the order of the numbers is the same. */
  readonly shapes: Readonly<Record<string, Shape>>;
  readonly sequences: number;
  readonly tokens: number;
}

const FORWARD: Tolerances = { f64: { nmse: 1e-24, maxAbs: 1e-12 }, f32: { nmse: 1e-10, maxAbs: 2e-5 } };
const GRADIENT: Tolerances = { f64: { nmse: 1e-24, maxAbs: 1e-11 }, f32: { nmse: 1e-10, maxAbs: 2e-5 } };

/** The cases of a golden file whose `op` is wkv4, wkv5, wkv6 or wkv7: its results, and all its gradients. */
export async function wkvCases(id: string, golden: GoldenTensors): Promise<Case[]> {
  const reading = readingOf(golden);
  const inputs: Record<string, Numbers> = { starts: Int32Array.from(startsOf(lengthsOf(reading))) };
  for (const name of inputNames(reading.op)) {
    inputs[name] = await golden.floats(`in.${fileName(reading, name)}`);
  }
  if (golden.metadata['op'] === 'wkv5') inputs['lw'] = Float64Array.from(inputs['lw'] ?? [], Math.log);
  const common = { sizes: { N: reading.tokens, S: reading.sequences }, weights: NO_WEIGHTS };
  const outputs: Record<string, Numbers> = {};
  for (const name of golden.names('out.')) outputs[name] = await golden.floats(`out.${name}`);
  const forward: Case = {
    ...{ ...common, id: `${id}/forward`, graph: graphOf(`${id}/forward`, reading), inputs },
    ...{ expected: { outputs }, tolerances: FORWARD },
  };
  return golden.names('grad.').length === 0 ? [forward] : [forward, await gradientCase(id, golden, reading, forward)];
}

async function gradientCase(id: string, golden: GoldenTensors, reading: Reading, forward: Case): Promise<Case> {
  const ups = golden.names('up.');
  const inputs: Record<string, Numbers> = { ...forward.inputs };
  for (const name of ups) inputs[`up.${name}`] = await golden.floats(`up.${name}`);
  const graph = graphOf(`${id}/gradient`, reading, ups);
  const own = new Map(inputNames(reading.op).map((name) => [fileName(reading, name), name]));
  const outputs: Record<string, Numbers> = {};
  for (const name of golden.names('grad.')) outputs[`grad.${own.get(name) ?? name}`] = await golden.floats(`grad.${name}`);
  if (golden.metadata['op'] === 'wkv5') {
    // The file differentiates by the decay w itself: d/d log w = w · d/dw.
    const decay = await golden.floats('in.w');
    outputs['grad.lw'] = Float64Array.from(outputs['grad.lw'] ?? [], (g, i) => g * (decay[i] ?? 0));
  }
  const wrt = Object.keys(outputs).map((name) => name.slice('grad.'.length));
  return {
    ...{ ...forward, id: `${id}/gradient`, graph: differentiate(graph, 'loss', wrt), inputs },
    ...{ expected: { outputs }, tolerances: GRADIENT },
  };
}

function inputNames(op: Reading['op']): string[] {
  return Object.keys(definitionOf(op).inputs).filter((name) => name !== 'starts');
}

function fileName(reading: Reading, name: string): string {
  return reading.names?.[name] ?? name;
}

function lengthsOf({ sequences, tokens }: Reading): number[] {
  return new Array<number>(sequences).fill(sequences === 0 ? 0 : tokens / sequences);
}

function readingOf(golden: GoldenTensors): Reading {
  const op = golden.metadata['op'];
  if (op === 'wkv4') {
    const k = golden.shape('in.k');
    const [sequences = 1, T = 0, C = 0] = k.length === 2 ? [1, ...k] : k;
    const [row, state] = [['N', C], ['S', C]];
    const shapes = { w: [C], u: [C], k: row, v: row, aa0: state, bb0: state, pp0: state, y: row };
    return { op, shapes: { ...shapes, aa: state, bb: state, pp: state }, sequences, tokens: sequences * T };
  }
  const [sequences = 0, T = 0, H = 0, D = 0] = golden.shape('in.r');
  const [row, state] = [['N', H, D], ['S', H, D, D]];
  const common = { r: row, k: row, v: row, s0: state, y: row, s: state };
  const sizes = { sequences, tokens: sequences * T };
  if (op === 'wkv7') return { op, shapes: { ...common, lw: row, a: row, b: row }, ...sizes };
  if (op === 'wkv5') return { op: 'wkv6', names: { lw: 'w' }, shapes: { ...common, lw: [H, D], u: [H, D] }, ...sizes };
  return { op: 'wkv6', shapes: { ...common, lw: row, u: [H, D] }, ...sizes };
}

/** With `ups`: the scalar Σ y·up.y over the outputs y named, in place of the outputs. */
function graphOf(name: string, { op, shapes }: Reading, ups?: readonly string[]): Graph {
  const b = new GraphBuilder(name);
  const inputs: Record<string, Value> = { starts: b.input('starts', 'i32', ['S+1']) };
  for (const input of inputNames(op)) inputs[input] = b.input(input, 'f32', shapes[input] ?? []);
  const attrs: Attrs = {};
  const outputs = Object.entries(b.insert(op, inputs, attrs));
  if (ups === undefined) {
    for (const [output, value] of outputs) b.output(output, value);
    return b.build();
  }
  let loss = b.full(0, []);
  for (const [output, value] of outputs.filter(([output]) => ups.includes(output))) {
    const term = b.binary('mul', value, b.input(`up.${output}`, 'f32', shapes[output] ?? []));
    loss = b.binary('add', loss, b.reduce('sum', term, term.shape.map((_, axis) => axis)));
  }
  b.output('loss', loss);
  return b.build();
}
