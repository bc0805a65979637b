import {
  type Bindings,
  type Device,
  type DeviceBuffer,
  differentiate,
  elementCount,
  leaves,
  type Value,
} from '@receptance/core';
import { type Case, NO_WEIGHTS, type Numbers } from './case.ts';
import { Random } from './random.ts';
import { lossCase, type OpSpec } from './spec.ts';

/** How far a gradient is from what the loss itself does along one direction. */
export interface Slope {
  readonly input: string;
  /** Gradient · direction. */
  readonly gradient: number;
  /** The same by finite differences. */
  readonly difference: number;
  /** Their distance, in units of the gradient's length: that is how large gradient · direction typically is. */
  readonly error: number;
}

/** Two directions find any wrong element, since each moves all elements by random amounts. */
const DIRECTIONS = 2;
/** In units of the input's own size where that is below 1. With f64 and fourth order, truncation h⁴ and rounding 1e-16/h are far below 1e-9. */
const STEP = 3e-4;
/** Gradients shorter than this are held against 0: differences of a loss of about 1 cannot tell them. */
const SHORTEST = 1e-3;

/**
 * Holds the gradients of a line of a table, by every f32 input, against finite differences of its loss.
 * @param device one that computes in f64
 * @returns `undefined` where the line has no gradients
 */
export async function slopesOf(device: Device, spec: OpSpec): Promise<Slope[] | undefined> {
  const inputs = Object.entries(spec.inputs).map(([name, leaf]) => {
    return [name, { ...leaf, kind: 'input', dtype: leaf.dtype === 'i32' ? 'i32' : 'f32' }] as const;
  });
  const loss = lossCase({ ...spec, inputs: Object.fromEntries(inputs) });
  const names = inputs.flatMap(([name, { dtype }]) => (dtype === 'f32' ? [name] : []));
  return loss === undefined || names.length === 0 ? undefined : slopes(device, loss, names);
}

/**
 * Holds the gradients of a case's scalar output `loss` by some of its inputs against finite differences.
 * @param test all its leaves are inputs
 */
export async function slopes(device: Device, test: Case, wrt: readonly string[]): Promise<Slope[]> {
  const gradients = await run(device, { ...test, graph: differentiate(test.graph, 'loss', wrt) });
  const at = async (name: string, direction: Numbers, step: number): Promise<number> => {
    const moved = Float64Array.from(test.inputs[name] ?? [], (x, i) => x + step * (direction[i] ?? 0));
    const { loss } = await run(device, { ...test, inputs: { ...test.inputs, [name]: moved } });
    return loss?.[0] ?? Number.NaN;
  };
  const found: Slope[] = [];
  for (const input of wrt) {
    const gradient = Float64Array.from(gradients[`grad.${input}`] ?? []);
    const length = Math.max(SHORTEST, Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0)));
    const step = STEP * sizeOf(test.inputs[input]);
    for (let direction = 0; direction < DIRECTIONS; direction++) {
      const random = new Random(`${test.id}/${input}/${direction}`);
      const towards = Float64Array.from(gradient, () => random.normal());
      const [near, far] = [
        (await at(input, towards, step)) - (await at(input, towards, -step)),
        (await at(input, towards, 2 * step)) - (await at(input, towards, -2 * step)),
      ];
      const difference = (8 * near - far) / (12 * step);
      const along = gradient.reduce((sum, g, i) => sum + g * (towards[i] ?? 0), 0);
      found.push({ input, gradient: along, difference, error: Math.abs(along - difference) / length });
    }
  }
  return found;
}

/** Root mean square of the numbers other than 0 that are no stand-in for infinity, held to 1e-3…1. */
function sizeOf(numbers: Numbers = new Float64Array()): number {
  const plain = Array.from(numbers).filter((x) => x !== 0 && Math.abs(x) < 1e20);
  return plain.length === 0
    ? 1
    : Math.min(1, Math.max(1e-3, Math.sqrt(plain.reduce((sum, x) => sum + x * x, 0) / plain.length)));
}

async function run(device: Device, { graph, sizes, inputs: given }: Case): Promise<Record<string, Numbers>> {
  const parameters = await device.loadParameters(NO_WEIGHTS, [graph]);
  const executable = await device.compile(graph, parameters, sizes);
  const make = (value: Value): DeviceBuffer =>
    device.alloc(value.dtype === 'i32' ? 'i32' : 'f32', elementCount(value.shape, sizes));
  const inputs: Record<string, DeviceBuffer> = {};
  for (const [name, value] of leaves(graph, 'input')) {
    inputs[name] = make(value);
    device.write(inputs[name], given[name] ?? []);
  }
  const outputs = Object.fromEntries(Object.entries(graph.outputs).map(([name, value]) => [name, make(value)]));
  const bindings: Bindings = { sizes, inputs, outputs };
  await device.run(executable, bindings);
  const results: Record<string, Numbers> = {};
  for (const [name, buffer] of Object.entries(outputs)) results[name] = await device.read(buffer);
  return results;
}
