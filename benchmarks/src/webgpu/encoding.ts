import { dispatchesOf, webgpu } from '@receptance/backend-webgpu';
import { randomRwkv7 } from '@receptance/conformance';
import { type DeviceBuffer, detectModel, greedyGraph } from '@receptance/core';
import { median } from '../statistics.ts';

/** The model is narrow: what is encoded depends on its depth only, and a software GPU must not be what is waited for. */
export const LAYERS = 12;
/** Tokens of a long run. */
export const STEPS = 64;
/** A software GPU takes a second for a long run. */
const SAMPLES = { together: 5, alone: 15 };

/** Milliseconds of the host for a token. */
export interface EncodingTime {
  readonly median: number;
  /** Whatever disturbs makes it longer. */
  readonly best: number;
}

export interface EncodingFigures {
  readonly adapter: string;
  readonly dispatches: number;
  /** In runs of `STEPS` tokens, and in runs of one; with the buffers of the run before. */
  readonly together: EncodingTime;
  readonly alone: EncodingTime;
}

/** What the host pays for a token that WebGPU decodes: the time that `run` takes to encode and submit. */
export async function measureEncoding(): Promise<EncodingFigures> {
  const ranks = { w: 8, a: 8, v: 8, g: 8 };
  const size = { layers: LAYERS, heads: 1, headSize: 64, ffn: 64, ranks, vocabulary: 64 };
  const source = randomRwkv7({ ...size, seed: 'encoding' });
  const graph = greedyGraph(detectModel(source.tensors));
  const device = await webgpu({ selfTest: false }).open();
  try {
    const parameters = await device.loadParameters(source, [graph], { limits: { Z: 1 } });
    const sizes = { N: 1, S: 1, R: 1 };
    const executable = await device.compile(graph, parameters, sizes);
    const integers = (data: readonly number[]): DeviceBuffer => {
      const buffer = device.alloc('i32', data.length);
      device.write(buffer, data);
      return buffer;
    };
    const inputs = { tokens: integers([1]), starts: integers([0, 1]), slots: integers([0]), rows: integers([0]) };
    const next = device.alloc('i32', STEPS);
    const timed = async (steps: number): Promise<number> => {
      const loop = { steps, carry: steps > 1 ? { tokens: 'next' } : {}, feed: [], collect: ['next'] };
      const begin = performance.now();
      await device.run(executable, { sizes, inputs, outputs: { next } }, loop);
      const spent = performance.now() - begin;
      await device.read(next, 0, 1);
      return spent / steps;
    };
    const time = async (steps: number, count: number): Promise<EncodingTime> => {
      await timed(steps);
      const samples: number[] = [];
      for (let i = 0; i < count; i++) samples.push(await timed(steps));
      return { median: median(samples), best: Math.min(...samples) };
    };
    const dispatches = dispatchesOf(device, source, graph, { ...sizes, Z: 1 }).length;
    return {
      adapter: device.info.adapter,
      dispatches,
      together: await time(STEPS, SAMPLES.together),
      alone: await time(1, SAMPLES.alone),
    };
  } finally {
    await device.close();
  }
}
