import { type TensorToWrite, writeSafetensors } from '@receptance/checkpoint';
import { writeWhole } from '@receptance/checkpoint/node';
import { type HostArray, ReceptanceError } from '@receptance/core';
import type { Logits } from 'receptance';
import { type Command, command } from '../command.ts';
import { loadModel, MODEL_OPTIONS } from '../model.ts';
import { COMMON } from '../options.ts';
import { parseTokens } from '../tokens.ts';

const options = {
  ...MODEL_OPTIONS,
  tokens: { value: 'IDS', help: 'token ids to read, 1,2,3 or @FILE with a JSON array' },
  out: { value: 'FILE', help: 'the .safetensors to write' },
  ...COMMON,
} as const;

export const logits: Command = command({
  name: 'logits',
  summary: 'Reads tokens from the start of a text; writes the logits after each, and the state after the last.',
  usage: '[--model FILE] --tokens IDS --out OUT.safetensors',
  options,
  examples: [
    [
      'logits --model model.safetensors --tokens 1,2,3 --out out.safetensors',
      'tensors logits [3,V] and state.<layer>.<name>, f32',
    ],
    [
      'logits --tokens @prompt.json --backend webgpu --out out.safetensors',
      'ids from a JSON array, on another backend',
    ],
  ],
  async run(values, terminal) {
    const [out, tokens] = [values.required('out'), await parseTokens(values.required('tokens'))];
    if (tokens.length === 0) throw new ReceptanceError('BAD_TOKENS', 'there are no tokens', { hint: '--tokens 1,2,3' });
    const { model, name, backend } = await loadModel(values, terminal);
    try {
      const read = await model.logits(tokens, { state: true, signal: terminal.signal });
      const about = { model: name, backend, tokens: JSON.stringify(tokens) };
      await writeWhole(out, [writeSafetensors(tensorsOf(read), about)]);
      const states = Object.keys(read.state ?? {}).length;
      if (terminal.json)
        terminal.writeJson({ out, model: name, backend, rows: read.rows, vocabularySize: read.vocabularySize, states });
      else terminal.note(`${out}: logits [${read.rows},${read.vocabularySize}] and ${states} tensors of the state`);
      return 0;
    } finally {
      await model.close();
    }
  },
});

function tensorsOf({ data, rows, vocabularySize, state = {} }: Logits): TensorToWrite[] {
  const states = Object.entries(state).map(([name, tensor]) => asF32(name, tensor.shape, tensor.data));
  return [asF32('logits', [rows, vocabularySize], data), ...states];
}

function asF32(name: string, shape: readonly number[], numbers: HostArray): TensorToWrite {
  const data = new Uint8Array(4 * numbers.length);
  const view = new DataView(data.buffer);
  numbers.forEach((number, i) => {
    view.setFloat32(4 * i, number, true);
  });
  return { name, dtype: 'f32', shape, data };
}
