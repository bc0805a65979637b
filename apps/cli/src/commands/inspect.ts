import { openCheckpointFile } from '@receptance/checkpoint/node';
import {
  type Backend,
  byteLength,
  detectModel,
  elementCount,
  type LanguageModel,
  logitsGraph,
  printGraph,
  ReceptanceError,
  type TensorInfo,
} from '@receptance/core';
import { storiesModel } from '@receptance/model-stories';
import { backendNamed, DEFAULT_BACKEND } from '../backends.ts';
import { type Command, columns, command } from '../command.ts';
import { type BlockSummary, type Running, runningOf, summaryOf } from '../graph-summary.ts';
import { MODEL_OPTIONS } from '../model.ts';
import { COMMON } from '../options.ts';

const DEFAULT_CHUNK = 256;

const options = {
  model: MODEL_OPTIONS.model,
  graph: { help: 'the ops of each block; with --verbose the whole graph, node by node' },
  backend: {
    value: 'NAME',
    help: `whose memory for activations is told; of webgpu also its dispatches (default: ${DEFAULT_BACKEND})`,
  },
  chunk: MODEL_OPTIONS.chunk,
  ...COMMON,
} as const;

export const inspect: Command = command({
  name: 'inspect',
  summary: 'Shows what a checkpoint holds, and what running it takes. Reads no weights.',
  usage: '[--model FILE] [--graph]',
  options,
  examples: [
    ['inspect --model model.pth', 'format, architecture, sizes, memory, every tensor'],
    ['inspect --model model.pth --graph', 'what the model computes, block by block'],
    ['inspect --model model.pth --graph --verbose', 'the graph that runs, node by node'],
    ['inspect --model model.pth --backend webgpu', 'also what a token dispatches on the GPU'],
    ['inspect --model model.pth --chunk 1024 --json', 'for programs; memory when 1024 tokens are read at a time'],
  ],
  async run(values, terminal) {
    const path = values.text('model');
    const chunk = values.integer('chunk', 1) ?? DEFAULT_CHUNK;
    const backend = await backendNamed(values.text('backend') ?? DEFAULT_BACKEND);
    const checkpoint = await openCheckpointFile(path ?? storiesModel, { signal: terminal.signal });
    try {
      const { format, metadata, tensors } = checkpoint;
      const model = values.flag('graph') ? detectModel(tensors) : modelOf(tensors);
      const facts = { model: path ?? 'stories', format, ...architectureOf(model), ...totalsOf(tensors) };
      const running =
        model === undefined ? {} : { memory: await memoryOf(model, tensors, facts.bytes, backend, chunk) };
      const list = [...tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
      const blocks = values.flag('graph') && model !== undefined ? summaryOf(logitsGraph(model)) : undefined;
      if (terminal.json) {
        const graph = blocks === undefined ? {} : { graph: blocks };
        terminal.writeJson({ ...facts, ...running, metadata, ...graph, tensors: list });
      } else if (blocks !== undefined && model !== undefined) {
        terminal.write(terminal.verbose ? printGraph(logitsGraph(model)) : describeBlocks(blocks));
      } else {
        const rows = Object.entries(facts).map(([fact, value]) => [fact, value === null ? 'not known' : String(value)]);
        const notes = Object.entries(metadata).map(([key, value]) => [key, JSON.stringify(value)]);
        const shapes = list.map(({ name, dtype, shape }) => [name, `${dtype} [${shape.join(',')}]`]);
        const sections = [[...rows, ...notes], ...Object.values(running).map(describeMemory), shapes];
        terminal.write(`${sections.map((section) => columns(section).join('\n')).join('\n\n')}\n`);
      }
      return 0;
    } finally {
      await checkpoint.close();
    }
  },
});

interface Memory {
  /** As the file stores them. A backend may hold some of them in a wider type. */
  readonly weightBytes: number;
  /** Of one sequence, however long its text is. */
  readonly stateBytes: number;
  readonly activationBytes: number;
  readonly chunk: number;
  readonly backend: string;
  readonly adapter: string;
  readonly dispatches?: Running['dispatches'];
}

async function memoryOf(
  model: LanguageModel,
  tensors: ReadonlyMap<string, TensorInfo>,
  weightBytes: number,
  using: Backend,
  chunk: number,
): Promise<Memory> {
  const { bytes, ...running } = await runningOf(model, tensors, using, chunk);
  return { weightBytes, stateBytes: stateBytesOf(model), activationBytes: bytes, chunk, ...running };
}

function describeMemory({ weightBytes, stateBytes, activationBytes, chunk, ...running }: Memory): string[][] {
  const { backend, adapter, dispatches } = running;
  const own = dispatches && [
    ['dispatches', `${dispatches.token} for a token that is decoded, ${dispatches.layer} a layer`],
  ];
  return [
    ['weights', `${readable(weightBytes)} in the file`],
    ['state', `${readable(stateBytes)} a sequence, however long its text is`],
    ['activations', `${readable(activationBytes)} while ${chunk} tokens are read at a time (${backend}: ${adapter})`],
    ...(own ?? []),
  ];
}

function describeBlocks(blocks: readonly BlockSummary[]): string {
  const rows = blocks.map(({ scope, ops, parameters, flops }) => [
    scope,
    `${String(parameters).padStart(12)}  ${(flops / 1e6).toFixed(3).padStart(10)}  ${ops.join(' → ')}`,
  ]);
  return `${columns([['', `${'parameters'.padStart(12)}  ${'MFLOP/token'.padStart(10)}  ops`], ...rows]).join('\n')}\n`;
}

function readable(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function totalsOf(tensors: ReadonlyMap<string, TensorInfo>): { readonly parameters: number; readonly bytes: number } {
  const infos = [...tensors.values()];
  return {
    parameters: infos.reduce((sum, { shape }) => sum + elementCount(shape), 0),
    bytes: infos.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** A file may well be read of which no model is known. */
function modelOf(tensors: ReadonlyMap<string, TensorInfo>): LanguageModel | undefined {
  try {
    return detectModel(tensors);
  } catch (error) {
    if (ReceptanceError.isInstance(error) && error.code === 'UNKNOWN_MODEL') return undefined;
    throw error;
  }
}

function architectureOf(model: LanguageModel | undefined): Record<string, string | number | null> {
  if (model === undefined) return { architecture: null };
  const { architecture, layers, width, vocabularySize } = model;
  return { architecture, layers, width, vocabularySize, stateBytes: stateBytesOf(model) };
}

function stateBytesOf({ state }: LanguageModel): number {
  return state.reduce((sum, { shape }) => sum + byteLength('f32', elementCount(shape)), 0);
}
