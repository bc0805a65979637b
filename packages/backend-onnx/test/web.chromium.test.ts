import * as ort from 'onnxruntime-web/wasm';
import { expect, inject, test } from 'vitest';

ort.env.wasm.numThreads = 1;

type Tensors = Readonly<Record<string, ort.Tensor>>;

/** Runs a model of an exported folder: takes of `given` what it wants; a state that comes out as `x.next` goes in as `x`. */
async function run(folder: string, name: string, given: Tensors): Promise<Tensors> {
  const externalData = [{ path: 'weights.bin', data: `${folder}/weights.bin` }];
  const session = await ort.InferenceSession.create(`${folder}/${name}.onnx`, { externalData });
  const wanted = session.inputNames.map((input) => [input, given[input]] as const);
  const made = await session.run(Object.fromEntries(wanted.flatMap(([input, x]) => (x ? [[input, x]] : []))));
  await session.release();
  return Object.fromEntries(Object.entries(made).map(([output, y]) => [output.replace(/\.next$/, ''), y]));
}

const int32 = (numbers: readonly number[]): ort.Tensor =>
  new ort.Tensor('int32', Int32Array.from(numbers), [numbers.length]);
const int64 = (number: number, dims: readonly number[]): ort.Tensor =>
  new ort.Tensor('int64', BigInt64Array.of(BigInt(number)), dims);

test('a page continues a text by an exported model as outside programs do', async () => {
  const { url, wasm, prompt, greedy } = inject('exported');
  ort.env.wasm.wasmPaths = { wasm };
  const [read, last] = [prompt.slice(0, -1), prompt.at(-1) ?? 0];
  const started = await run(url, 'initial', { S: int64(1, [1]) });
  const state = await run(url, 'model', { ...started, tokens: int32(read), rows: int32([read.length - 1]) });
  // temperature 0, topK, topP, minP, presence, frequency, repetition, penaltyDecay
  const settings = new ort.Tensor('float32', Float32Array.of(0, 0, 1, 0, 0, 0, 1, 1), [1, 8]);
  const u = new ort.Tensor('float32', new Float32Array(greedy.length), [greedy.length, 1]);
  const one = { tokens: int32([last]), rows: int32([0]), steps: int64(greedy.length, []), settings, u };
  const { next } = await run(url, 'decode', { ...started, ...state, ...one });
  expect(Array.from(next?.data ?? [], Number)).toEqual(greedy);
});
