import { openCheckpointFile } from '@receptance/checkpoint/node';
import {
  byteLength,
  detectModel,
  elementCount,
  type LanguageModel,
  ReceptanceError,
  type TensorInfo,
} from '@receptance/core';
import { storiesModel } from '@receptance/model-stories';
import { type Command, columns, command } from '../command.ts';
import { COMMON } from '../options.ts';

const options = {
  model: {
    value: 'FILE',
    help: 'checkpoint: .safetensors, .pth, .gguf, or a Hugging Face folder (default: the small model that comes along)',
  },
  ...COMMON,
} as const;

export const inspect: Command = command({
  name: 'inspect',
  summary: 'Shows what a checkpoint holds. Reads no weights.',
  usage: '[--model FILE]',
  options,
  examples: [
    ['inspect --model model.pth', 'format, architecture, sizes, every tensor'],
    ['inspect --model model.pth --json', 'the same for programs'],
  ],
  async run(values, terminal) {
    const path = values.text('model');
    const checkpoint = await openCheckpointFile(path ?? storiesModel, { signal: terminal.signal });
    try {
      const { format, metadata, tensors } = checkpoint;
      const facts = { model: path ?? 'stories', format, ...architectureOf(tensors), ...totalsOf(tensors) };
      const list = [...tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
      if (terminal.json) {
        terminal.writeJson({ ...facts, metadata, tensors: list });
      } else {
        const rows = Object.entries(facts).map(([fact, value]) => [fact, value === null ? 'not known' : String(value)]);
        const notes = Object.entries(metadata).map(([key, value]) => [key, JSON.stringify(value)]);
        const shapes = list.map(({ name, dtype, shape }) => [name, `${dtype} [${shape.join(',')}]`]);
        terminal.write(`${[...columns([...rows, ...notes]), '', ...columns(shapes)].join('\n')}\n`);
      }
      return 0;
    } finally {
      await checkpoint.close();
    }
  },
});

function totalsOf(tensors: ReadonlyMap<string, TensorInfo>): { readonly parameters: number; readonly bytes: number } {
  const infos = [...tensors.values()];
  return {
    parameters: infos.reduce((sum, { shape }) => sum + elementCount(shape), 0),
    bytes: infos.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** A file may well be read of which no model is known. */
function architectureOf(tensors: ReadonlyMap<string, TensorInfo>): Record<string, string | number | null> {
  let model: LanguageModel;
  try {
    model = detectModel(tensors);
  } catch (error) {
    if (ReceptanceError.isInstance(error) && error.code === 'UNKNOWN_MODEL') return { architecture: null };
    throw error;
  }
  const { architecture, layers, width, vocabularySize, state } = model;
  const stateBytes = state.reduce((sum, { shape }) => sum + byteLength('f32', elementCount(shape)), 0);
  return { architecture, layers, width, vocabularySize, stateBytes };
}
