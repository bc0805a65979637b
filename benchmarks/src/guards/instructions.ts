import {
  type Backend,
  type DeviceBuffer,
  detectModel,
  greedyGraph,
  resetGraph,
  type WeightSource,
} from '@receptance/core';
import wabt from 'wabt';

const COUNTER = 'executed_instructions';
/** After these the next instruction may be another one: a stretch without them runs from its first to its last. */
const BRANCH = /^(block|loop|if|else|end|br|br_if|br_table|return|unreachable)\b/;

/** The same module, adding up in an exported global how many instructions were executed. */
export async function counting(binary: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const tools = await wabt();
  const module = tools.readWasm(binary, { readDebugNames: false });
  const text = withCounter(module.toText({ foldExprs: false, inlineExport: false }));
  module.destroy();
  const counted = tools.parseWat('counting.wat', text);
  const { buffer } = counted.toBinary({});
  counted.destroy();
  return new Uint8Array(buffer);
}

const made = new Map<number, { readonly binary: Uint8Array; readonly counted: Uint8Array<ArrayBuffer> }>();

/** Remembers what it made: a module of hundreds of functions takes a second. */
async function countingOnce(binary: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const known = made.get(binary.length);
  if (known?.binary.every((byte, i) => byte === binary[i])) return known.counted;
  const counted = await counting(binary);
  made.set(binary.length, { binary, counted });
  return counted;
}

/** Text that has an instruction a line: each stretch of instructions begins by counting them. */
function withCounter(text: string): string {
  const out: string[] = [];
  let stretch: string[] = [];
  const flush = (): void => {
    if (stretch.length > 0)
      out.push(`global.get $${COUNTER} i64.const ${stretch.length} i64.add global.set $${COUNTER}`);
    out.push(...stretch);
    stretch = [];
  };
  let depth = 0;
  for (const line of text.trimEnd().split('\n')) {
    const before = depth;
    depth += line.split('(').length - line.split(')').length;
    const isInside = before === 2 && !line.trim().startsWith('(');
    if (!isInside) out.push(line);
    else {
      // The last instruction of a function has the function's own bracket behind it.
      const ends = depth < 2;
      stretch.push(ends ? line.slice(0, line.lastIndexOf(')')) : line);
      if (ends || BRANCH.test(line.trim())) flush();
      if (ends) out.push(line.slice(line.lastIndexOf(')')));
    }
  }
  const last = out.pop() ?? '';
  const counter = `(global $${COUNTER} (mut i64) (i64.const 0)) (export "${COUNTER}" (global $${COUNTER}))`;
  return [...out, last.slice(0, last.lastIndexOf(')')), counter, ')'].join('\n');
}

/** Opens what `work` opens with counting modules; it is given the number of instructions so far. */
async function whileCounting<T>(work: (executed: () => number) => Promise<T>): Promise<T> {
  const { compile, instantiate } = WebAssembly;
  const counters: WebAssembly.Global[] = [];
  const ours = {
    compile: async (binary: Uint8Array) => {
      // What makes the module count is WebAssembly itself, and not to be counted.
      Object.assign(WebAssembly, { compile, instantiate });
      const counted = await countingOnce(binary);
      Object.assign(WebAssembly, ours);
      return compile(counted);
    },
    instantiate: async (module: WebAssembly.Module, imports: WebAssembly.Imports) => {
      const instance = await instantiate(module, imports);
      const counter = instance.exports[COUNTER];
      if (counter instanceof WebAssembly.Global) counters.push(counter);
      return instance;
    },
  };
  Object.assign(WebAssembly, ours);
  try {
    return await work(() => counters.reduce((sum, { value }) => sum + Number(value), 0));
  } finally {
    Object.assign(WebAssembly, { compile, instantiate });
  }
}

/** Instructions of WebAssembly that reading so many tokens takes, and finding the likeliest next one: the same on every machine. */
export function instructionsOf(backend: Backend, source: WeightSource, tokens: number): Promise<number> {
  return whileCounting(async (executed) => {
    const device = await backend.open();
    const model = detectModel(source.tensors);
    const [greedy, reset] = [greedyGraph(model), resetGraph(model)];
    const parameters = await device.loadParameters(source, [greedy, reset], { limits: { Z: 1 } });
    const read = await device.compile(greedy, parameters, { N: tokens, S: 1, R: 1 });
    const begin = await device.compile(reset, parameters, { S: 1 });
    const integers = (numbers: readonly number[]): DeviceBuffer => {
      const buffer = device.alloc('i32', numbers.length);
      device.write(buffer, numbers);
      return buffer;
    };
    const slots = integers([0]);
    const ids = integers(Array.from({ length: tokens }, (_, i) => 1 + i));
    const inputs = { tokens: ids, starts: integers([0, tokens]), slots, rows: integers([tokens - 1]) };
    const next = device.alloc('i32', 1);
    await device.run(begin, { sizes: { S: 1 }, inputs: { slots }, outputs: {} });
    const before = executed();
    await device.run(read, { sizes: { N: tokens, S: 1, R: 1 }, inputs, outputs: { next } });
    await device.read(next);
    const after = executed();
    await device.close();
    return after - before;
  });
}
