import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { OPTIMISERS, type Optimiser } from '@receptance/train';
import { machineCard } from '../machine.ts';
import { badOption, listOf, whole } from '../options.ts';
import { peersFolder, startTrainingPeer, TRAINING_PEERS } from '../peers/peers.ts';
import { instructionLines } from '../report/instruction-table.ts';
import { opRows } from '../report/op-table.ts';
import { alignedRows, figure, giga, mega, percent } from '../report/text.ts';
import { type Roofline, RooflineProbe } from '../roofline/roofline.ts';
import { backendEntry } from '../runner/backends.ts';
import type { TrainOpened } from '../runner/protocol.ts';
import { type RemoteRunner, startOwnRunner } from '../runner/spawn.ts';
import { quantile } from '../statistics.ts';
import { flopsOfStep, type TrainingSize } from '../training/subject.ts';

const HELP = `Speed of training: tokens per second of whole steps (forward, backward, AdamW) of a byte model, in turns with peers.

  pnpm bench train                                    RWKV-4 and 7 of 4 layers and 128 channels, 8 texts of 256 tokens
  pnpm bench train --peer pytorch,pytorch-compiled    beside PyTorch (pnpm bench peers install pytorch)
  pnpm bench train --model rwkv7 --ops                what each kind of op takes of a step
  pnpm bench train --model rwkv4 --profile            nothing but where a step's time goes, by instruction

  --model LIST     rwkv4, rwkv5, rwkv6, rwkv7 (default: rwkv7,rwkv4; peers know these two)
  --backend NAME   (default: wasm)
  --layers N  --width N  --batch N  --tokens N        (default: 4, 128, 8, 256)
  --threads N      (default: all cores)
  --peer LIST      ${Object.keys(TRAINING_PEERS).join(', ')}
  --rounds N       each of three steps a program, in turns; the first does not count (default: 5)
  --ops            time by op as well
  --profile        the program of a step on WASM, one thread, an instruction at a time
  --optimiser NAME ${OPTIMISERS.join(', ')} (default: adamw; peers have that in any case)
  --json FILE      what was measured
  --peers-folder DIR`;

/** Steps of a program before the next has its turn. */
const STEPS = 3;

interface Program {
  readonly name: string;
  readonly runner: RemoteRunner;
  readonly opened: TrainOpened;
  readonly times: number[];
  loss: number;
  peakBytes: number;
}

export async function trainCommand(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      model: { type: 'string', default: 'rwkv7,rwkv4' },
      backend: { type: 'string', default: 'wasm' },
      layers: { type: 'string', default: '4' },
      width: { type: 'string', default: '128' },
      batch: { type: 'string', default: '8' },
      tokens: { type: 'string', default: '256' },
      threads: { type: 'string', default: String(availableParallelism()) },
      peer: { type: 'string', default: '' },
      rounds: { type: 'string', default: '5' },
      ops: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      optimiser: { type: 'string', default: 'adamw' },
      json: { type: 'string' },
      'peers-folder': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  backendEntry(values.backend);
  const optimiser = optimiserOf(values.optimiser);
  if (values.profile) return printProfiles(listOf(values.model), values, optimiser);
  const [threads, rounds] = [whole('--threads', values.threads), whole('--rounds', values.rounds)];
  const peers = listOf(values.peer);
  const probe = new RooflineProbe(threads);
  await probe.ready();
  const reports: unknown[] = [];
  try {
    for (const model of listOf(values.model)) {
      const size = sizeOf(model, values);
      const programs: Program[] = [];
      try {
        programs.push(await ownProgram(size, values.backend, threads, optimiser));
        for (const peer of peers) programs.push(await peerProgram(peer, values['peers-folder'], size, threads));
        await probe.probe([threads]);
        await takeTurns(programs, rounds);
        await probe.probe([threads]);
      } finally {
        await Promise.all(programs.map(({ runner }) => runner.close()));
      }
      console.log(tableOf(model, size, programs, probe.results[0]));
      reports.push({ model, size, threads, programs: programs.map(({ runner: _, ...measured }) => measured) });
      if (values.ops) await printOps(size, values.backend, threads, probe);
    }
  } finally {
    await probe.close();
  }
  if (values.json !== undefined) {
    const report = { machine: machineCard(), roofline: probe.results, trainings: reports };
    await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
  }
}

type SizeValues = Readonly<Record<'layers' | 'width' | 'batch' | 'tokens', string>>;

function sizeOf(model: string, { layers, width, batch, tokens }: SizeValues): TrainingSize {
  const version = ([4, 5, 6, 7] as const).find((known) => model === `rwkv${known}`);
  if (version === undefined) throw badOption(`--model is ${model}`, 'choose from rwkv4, rwkv5, rwkv6, rwkv7');
  const channels = whole('--width', width);
  const wide = version === 4 || version === 7;
  return {
    ...{ version, layers: whole('--layers', layers), width: channels, headSize: 64, vocabulary: 256 },
    ffn: wide ? 4 * channels : Math.floor((3.5 * channels) / 32) * 32,
    ranks: { w: 32, a: 32, v: 32, g: 32 },
    ...{ batch: whole('--batch', batch), tokens: whole('--tokens', tokens) },
  };
}

function optimiserOf(name: string): Optimiser {
  const found = OPTIMISERS.find((known) => known === name);
  if (found === undefined) throw badOption(`--optimiser is ${name}`, `choose from ${OPTIMISERS.join(', ')}`);
  return found;
}

async function ownProgram(
  size: TrainingSize,
  backend: string,
  threads: number,
  optimiser: Optimiser,
): Promise<Program> {
  const runner = startOwnRunner();
  return program(backend, runner, await runner.ask('trainOpen', { size, backend, threads, optimiser }));
}

async function peerProgram(
  name: string,
  folder: string | undefined,
  size: TrainingSize,
  threads: number,
): Promise<Program> {
  if (size.version !== 4 && size.version !== 7)
    throw badOption(`peers do not train rwkv${size.version}`, 'leave --peer out');
  const { runner, compiled } = startTrainingPeer(name, peersFolder(folder));
  return program(name, runner, await runner.ask('trainOpen', { size, backend: '', threads, compiled }));
}

function program(name: string, runner: RemoteRunner, opened: TrainOpened): Program {
  return { name, runner, opened, times: [], loss: Number.NaN, peakBytes: Number.NaN };
}

/** Each round begins with another program; the first warms up. */
async function takeTurns(programs: readonly Program[], rounds: number): Promise<void> {
  for (let round = 0; round <= rounds; round++) {
    const first = round % programs.length;
    for (const each of [...programs.slice(first), ...programs.slice(0, first)]) {
      const { times, losses } = await each.runner.ask('trainSteps', { steps: STEPS });
      if (round > 0) each.times.push(...times);
      each.loss = losses.at(-1) ?? Number.NaN;
      each.peakBytes = await each.runner.ask('memory', {});
    }
  }
}

function tableOf(
  model: string,
  size: TrainingSize,
  programs: readonly Program[],
  ceiling: Roofline | undefined,
): string {
  const { layers, width, batch, tokens } = size;
  const flops = flopsOfStep(size);
  const own = quantile(programs[0]?.times ?? [], 0.5);
  const heads = [
    'program',
    'tokens/s',
    'best',
    'ms a step',
    'GFLOP/s',
    'of peak',
    'speed',
    'planned MB',
    'before',
    'peak MB',
  ];
  const rows = programs.map(({ name, times, opened, peakBytes }) => {
    const middle = quantile(times, 0.5);
    const perSecond = (ms: number): string => figure((1000 * batch * tokens) / ms);
    const rate = (1000 * flops) / middle;
    return [
      ...[name, perSecond(middle), perSecond(Math.min(...times)), figure(middle), giga(rate)],
      ...[percent(rate / (ceiling?.flopsPerSecond ?? Number.NaN)), `${(own / middle).toFixed(2)} ×`],
      ...[plannedBytes(opened), opened.beforeBytes ?? Number.NaN, peakBytes].map(mega),
    ];
  });
  const roofline = `multiply-add in WebAssembly ${giga(ceiling?.flopsPerSecond ?? Number.NaN)} GFLOP/s`;
  return [
    `${model}, ${layers} layers, ${width} channels, ${batch} texts of ${tokens} tokens; ${roofline}`,
    ...alignedRows([heads, ...rows]),
    ...programs.map(
      ({ name, opened }) =>
        `  ${name}: ${opened.adapter}, ${figure(opened.parameters / 1e6)} M parameters${planText(opened)}`,
    ),
  ].join('\n');
}

function plannedBytes({ plan }: TrainOpened): number {
  return plan === undefined ? Number.NaN : plan.weights + plan.optimiser + plan.activations;
}

function planText({ plan }: TrainOpened): string {
  if (plan === undefined) return '';
  const { weights, optimiser, activations, forward, again, backward } = plan;
  const fullest = `${mega(forward)} kept of forward, ${mega(again)} of it made again, ${mega(backward)} backward`;
  return `; planned MB: ${mega(weights)} weights, ${mega(optimiser)} optimiser, ${mega(activations)} activations (${fullest})`;
}

async function printOps(size: TrainingSize, backend: string, threads: number, probe: RooflineProbe): Promise<void> {
  const runner = startOwnRunner();
  try {
    const ops = await runner.ask('trainOps', { size, backend, threads, runs: 5 });
    console.log(alignedRows(opRows(ops, probe.results[0])).join('\n'));
  } finally {
    await runner.close();
  }
}

/** Steps of which the quickest run of each instruction counts. */
const PROFILED = 5;

async function printProfiles(models: readonly string[], values: SizeValues, optimiser: Optimiser): Promise<void> {
  const probe = new RooflineProbe(1);
  await probe.ready();
  try {
    for (const model of models) {
      const runner = startOwnRunner();
      try {
        await probe.probe([1]);
        const times = await runner.ask('trainProfile', { size: sizeOf(model, values), optimiser, steps: PROFILED });
        await probe.probe([1]);
        console.log(`${model}: ${instructionLines(times, probe.results[0]).join('\n')}`);
      } finally {
        await runner.close();
      }
    }
  } finally {
    await probe.close();
  }
}
