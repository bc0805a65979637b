import {
  BackendUnavailableError,
  byteLength,
  type Device,
  type Graph,
  GraphBuilder,
  type HostArray,
  narrow,
  type Value,
  type WeightSource,
} from '@receptance/core';
import { EXPECTED } from './self-test.gen.ts';

/** Of the largest logit: f32 on a driver in order differs from f64 by a hundredth of it. */
const TOLERANCE = 1e-4;

/** Sizes of the model that is run: small, and of every kind of kernel that decoding needs. */
const [VOCABULARY, HEADS, SIZE, RANK, HIDDEN] = [24, 2, 16, 8, 48];
const WIDTH = HEADS * SIZE;
const TOKENS = [3, 17, 5, 8];
/** A text of three tokens, and one of one. */
const STARTS = [0, 3, 4];

/** What a device makes of the test. */
export interface SelfTestResult {
  readonly logits: HostArray;
  readonly next: HostArray;
}

/**
 * Runs one block of RWKV-7 between an embedding and a head in half precision, and holds what comes out against numbers of
 * the f64 reference: a driver that computes them wrong would write nonsense.
 * @throws BackendUnavailableError
 */
export async function selfTest(device: Device): Promise<void> {
  const { logits, next } = await runSelfTest(device);
  const largest = Math.max(...EXPECTED.logits.map(Math.abs));
  const worst = EXPECTED.logits.reduce((most, wanted, i) => {
    const error = Math.abs((logits[i] ?? Number.NaN) - wanted) / largest;
    return Math.max(error, most);
  }, 0);
  const chosen = EXPECTED.next.every((token, i) => token === next[i]);
  if (worst <= TOLERANCE && chosen) return;
  const reason = `its self-test on ${device.info.adapter} is off by ${worst.toPrecision(2)}, at most ${TOLERANCE} is rounding`;
  throw new BackendUnavailableError('webgpu', reason, {
    hint: 'the driver of the GPU computes wrong numbers: update it, or use the wasm backend',
  });
}

/** What comes out, right or wrong. */
export async function runSelfTest(device: Device): Promise<SelfTestResult> {
  const graph = testGraph();
  const parameters = await device.loadParameters(testWeights(graph), [graph]);
  const [N, S, R] = [TOKENS.length, STARTS.length - 1, STARTS.length - 1];
  const executable = await device.compile(graph, parameters, { N, S, R });
  const integers = (data: readonly number[]) => {
    const buffer = device.alloc('i32', data.length);
    device.write(buffer, data);
    return buffer;
  };
  const inputs = { tokens: integers(TOKENS), starts: integers(STARTS), rows: integers([2, 3]) };
  const outputs = { logits: device.alloc('f32', R * VOCABULARY), next: device.alloc('i32', R) };
  try {
    await device.run(executable, { sizes: { N, S, R }, inputs, outputs });
    return { logits: await device.read(outputs.logits), next: await device.read(outputs.next) };
  } finally {
    for (const buffer of [...Object.values(inputs), ...Object.values(outputs)]) device.free(buffer);
    executable.free();
    parameters.free();
  }
}

function testGraph(): Graph {
  const b = new GraphBuilder('self-test');
  const vector = (name: string): Value => b.parameter(name, 'f32', [WIDTH]);
  const half = (name: string, rows: number, columns: number): Value => b.parameter(name, 'f16', [rows, columns]);
  const vectors = <Name extends string>(...names: Name[]): Record<Name, Value> =>
    Object.fromEntries(names.map((name) => [name, vector(name)])) as Record<Name, Value>;
  const starts = b.input('starts', 'i32', ['S+1']);
  const x = b.add('gather', { table: half('emb', VOCABULARY, WIDTH), ids: b.input('tokens', 'i32', ['N']) }).y;
  const square = (name: string): Value => half(name, WIDTH, WIDTH);
  const made = b.add(
    'block7',
    {
      ...{ x, starts, ...vectors('ln1_w', 'ln1_b', 'ln2_w', 'ln2_b') },
      ...{ att_prev: b.full(0.5, ['S', WIDTH]), att_s0: b.full(0.1, ['S', HEADS, SIZE, SIZE]) },
      ...vectors('att_x_r', 'att_x_w', 'att_x_k', 'att_x_v', 'att_x_a', 'att_x_g'),
      ...{ att_receptance: square('receptance'), att_key: square('key') },
      ...{ att_value: square('value'), att_output: square('output') },
      ...vectors('att_w0', 'att_a0', 'att_k_k', 'att_k_a', 'att_ln_x_w', 'att_ln_x_b'),
      ...{ att_w1: half('w1', WIDTH, RANK), att_w2: half('w2', RANK, WIDTH) },
      ...{ att_a1: half('a1', WIDTH, RANK), att_a2: half('a2', RANK, WIDTH) },
      ...{ att_g1: half('g1', WIDTH, RANK), att_g2: half('g2', RANK, WIDTH) },
      ...{ att_r_k: b.parameter('r_k', 'f32', [HEADS, SIZE]), ffn_prev: b.full(-0.5, ['S', WIDTH]) },
      ...{
        ...vectors('ffn_x_k'),
        ffn_key: half('ffn_key', HIDDEN, WIDTH),
        ffn_value: half('ffn_value', WIDTH, HIDDEN),
      },
    },
    { eps: 64e-5, lnEps: 1e-5 },
  );
  const wanted = b.add('gather', { table: made.y, ids: b.input('rows', 'i32', ['R']) }).y;
  const logits = b.linear(wanted, half('head', VOCABULARY, WIDTH));
  b.output('logits', logits);
  b.output('next', b.add('argmax', { x: logits }).y);
  return b.build();
}

/** Numbers between −1/4 and 1/4 from a tensor's name and place; of f16 as near as it has them. */
function testWeights(graph: Graph): WeightSource {
  const tensors = new Map(
    graph.nodes.flatMap(({ op, attrs, outputs: { y } }) => {
      if (op !== 'parameter' || y === undefined) return [];
      const shape = y.shape.map(Number);
      const elements = shape.reduce((product, size) => product * size, 1);
      return [[String(attrs['name']), { dtype: y.dtype, shape, bytes: byteLength(y.dtype, elements) }] as const];
    }),
  );
  return {
    tensors,
    async read(name, range) {
      const { shape = [], dtype } = tensors.get(name) ?? {};
      const elements = shape.reduce((product, size) => product * size, 1);
      const seed = [...name].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), 7);
      const numbers = Float32Array.from({ length: elements }, (_, i) => {
        const mixed = Math.imul((seed + i * 0x9e3779b1) ^ ((seed + i) >>> 3), 0x85ebca6b) >>> 9;
        return (mixed / 2 ** 22 - 1) / 4;
      });
      const bytes = narrow(name, dtype === 'f16' ? 'f16' : 'f32', numbers);
      return bytes.slice(range?.start ?? 0, range?.end ?? bytes.length);
    },
  };
}
