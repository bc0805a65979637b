import {
  type Bindings,
  type Device,
  type DeviceBuffer,
  elementCount,
  type Graph,
  type Loop,
  leaves,
  type Parameters,
  type Value,
} from '@receptance/core';
import { type Case, NO_WEIGHTS, type Numbers } from './case.ts';

/** What a device made of a case, and what it did that it must not. */
export interface Results {
  readonly outputs: Readonly<Record<string, Numbers>>;
  readonly variables: Readonly<Record<string, Numbers>>;
  readonly problems: readonly string[];
}

/** Elements behind every buffer that nothing may write to, and what stands there. */
const MARGIN = 5;
const CANARY = -7777;

/**
 * Runs a case with every buffer a little too long and every output filled with numbers that no case makes, so that
 * what is not written, or written outside its place, is seen. Without variables to update it runs twice, the second
 * time over whatever the first left in the device's own memory.
 */
export async function execute(device: Device, test: Case): Promise<Results> {
  const { graph } = test;
  const parameters = await device.loadParameters(test.weights ?? NO_WEIGHTS, [graph], { limits: test.limits ?? {} });
  const limits = { ...Object.fromEntries(Object.entries(test.sizes).map(([s, n]) => [s, n + 3])), ...test.limits };
  const executable = await device.compile(graph, parameters, limits);
  const buffers = allocate(device, test);
  const bindings: Bindings = { sizes: test.sizes, inputs: buffers.inputs, outputs: buffers.outputs };
  const problems: string[] = [];
  try {
    await device.run(executable, bindings, test.loop);
    const outputs = await readOutputs(device, buffers.outputs, problems);
    const variables = await readVariables(device, graph, parameters);
    await checkInputs(device, test, buffers.inputs, problems);
    if (Object.keys(graph.updates).length === 0 && test.once !== true) {
      poison(device, buffers.outputs);
      writeInputs(device, test, buffers.inputs);
      await device.run(executable, bindings, test.loop);
      await checkRepeated(device, buffers.outputs, outputs, problems);
    }
    return { outputs, variables, problems };
  } finally {
    for (const buffer of [...Object.values(buffers.inputs), ...Object.values(buffers.outputs)]) device.free(buffer);
    executable.free();
    parameters.free();
  }
}

interface Buffers {
  readonly inputs: Readonly<Record<string, DeviceBuffer>>;
  readonly outputs: Readonly<Record<string, DeviceBuffer>>;
}

function allocate(device: Device, test: Case): Buffers {
  const make = (value: Value, steps: number): DeviceBuffer =>
    device.alloc(value.dtype === 'i32' ? 'i32' : 'f32', steps * elementCount(value.shape, test.sizes) + MARGIN);
  const { loop } = test;
  const inputs: Record<string, DeviceBuffer> = {};
  for (const [name, value] of leaves(test.graph, 'input')) inputs[name] = make(value, stepsOf(loop?.feed, name, loop));
  const outputs: Record<string, DeviceBuffer> = {};
  for (const [name, value] of Object.entries(test.graph.outputs)) {
    outputs[name] = make(value, stepsOf(loop?.collect, name, loop));
  }
  writeInputs(device, test, inputs);
  poison(device, outputs);
  return { inputs, outputs };
}

function stepsOf(stacked: readonly string[] | undefined, name: string, loop: Loop | undefined): number {
  return stacked?.includes(name) === true ? (loop?.steps ?? 1) : 1;
}

function writeInputs(device: Device, test: Case, inputs: Buffers['inputs']): void {
  for (const [name, buffer] of Object.entries(inputs)) {
    const data = test.inputs[name];
    if (data === undefined || data.length !== buffer.elements - MARGIN) {
      throw new Error(`${test.id}: input ${name} has ${data?.length} numbers, needs ${buffer.elements - MARGIN}`);
    }
    device.write(buffer, data);
    device.write(buffer, new Array<number>(MARGIN).fill(CANARY), data.length);
  }
}

/** Fills outputs with NaN (i32: the canary), and the margin behind them with canaries. */
function poison(device: Device, outputs: Buffers['outputs']): void {
  for (const buffer of Object.values(outputs)) {
    const fill = buffer.dtype === 'i32' ? CANARY : Number.NaN;
    device.write(buffer, new Array<number>(buffer.elements - MARGIN).fill(fill));
    device.write(buffer, new Array<number>(MARGIN).fill(CANARY), buffer.elements - MARGIN);
  }
}

/** Reads a buffer without its margin, which must be as it was. */
async function readWhole(device: Device, what: string, buffer: DeviceBuffer, problems: string[]): Promise<Numbers> {
  const whole = await device.read(buffer);
  const end = buffer.elements - MARGIN;
  if (whole.length !== buffer.elements) problems.push(`${what}: read gives ${whole.length} of ${buffer.elements}`);
  if (whole.subarray(end).some((x) => x !== CANARY)) problems.push(`${what}: memory behind its end was written`);
  return whole.subarray(0, end);
}

async function readOutputs(
  device: Device,
  buffers: Buffers['outputs'],
  problems: string[],
): Promise<Record<string, Numbers>> {
  const outputs: Record<string, Numbers> = {};
  for (const [name, buffer] of Object.entries(buffers)) {
    const data = await readWhole(device, `output ${name}`, buffer, problems);
    const bad = data.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) problems.push(`output ${name} is ${data[bad]} at ${bad}, or was not written there`);
    outputs[name] = data;
  }
  return outputs;
}

async function readVariables(device: Device, graph: Graph, parameters: Parameters): Promise<Record<string, Numbers>> {
  const variables: Record<string, Numbers> = {};
  for (const name of leaves(graph, 'variable').keys()) {
    const buffer = parameters.variables.get(name);
    if (buffer === undefined) throw new Error(`the device does not show variable ${name}`);
    variables[name] = await device.read(buffer);
  }
  return variables;
}

async function checkInputs(device: Device, test: Case, buffers: Buffers['inputs'], problems: string[]): Promise<void> {
  for (const [name, buffer] of Object.entries(buffers)) {
    const now = await readWhole(device, `input ${name}`, buffer, problems);
    if (test.loop !== undefined && name in test.loop.carry) continue;
    const numbers = test.inputs[name] ?? [];
    const given = device.info.float === 'f32' && buffer.dtype === 'f32' ? Float32Array.from(numbers) : numbers;
    const changed = now.findIndex((x, i) => x !== given[i]);
    if (changed >= 0) problems.push(`input ${name} was changed at ${changed}`);
  }
}

async function checkRepeated(
  device: Device,
  buffers: Buffers['outputs'],
  first: Readonly<Record<string, Numbers>>,
  problems: string[],
): Promise<void> {
  for (const [name, buffer] of Object.entries(buffers)) {
    const again = await readWhole(device, `output ${name}, run again`, buffer, problems);
    const before = first[name] ?? new Float32Array();
    const other = again.findIndex((x, i) => x !== before[i] && !(Number.isNaN(x) && Number.isNaN(before[i] ?? 0)));
    if (other >= 0) problems.push(`output ${name}, run again, is ${again[other]} at ${other}, was ${before[other]}`);
  }
}
