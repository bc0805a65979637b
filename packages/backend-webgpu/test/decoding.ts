import { bytesSource, type Checkpoint, openCheckpoint } from '@receptance/checkpoint';
import {
  type Backend,
  type Device,
  type DeviceBuffer,
  detectModel,
  type Executable,
  greedyGraph,
  type Loop,
  resetGraph,
  sampleGraph,
} from '@receptance/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const LIMITS = { N: 64, S: 2, R: 2, Z: 3 };
/** Tokens that are decoded in one submit. */
const STEPS = 64;
const GOLDEN = 'rwkv7_l4_c128_v97.golden.safetensors';

/** @param bytesOf a file of golden models by its name */
export function decodingInOneRun(backend: Backend, bytesOf: (file: string) => Promise<Uint8Array>): void {
  describe('decoding many tokens in one run', () => {
    let device: Device;
    let executables: Readonly<Record<'greedy' | 'sample' | 'reset', Executable>>;
    let prompt: number[];

    beforeAll(async () => {
      device = await backend.open();
      const weights = await open('rwkv7_l4_c128_v97.safetensors');
      const model = detectModel(weights.tensors);
      const [greedy, sample, reset] = [greedyGraph(model), sampleGraph(model), resetGraph(model)];
      const parameters = await device.loadParameters(weights, [greedy, sample, reset], { limits: { Z: LIMITS.Z } });
      executables = {
        greedy: await device.compile(greedy, parameters, LIMITS),
        sample: await device.compile(sample, parameters, LIMITS),
        reset: await device.compile(reset, parameters, LIMITS),
      };
      prompt = await integers(GOLDEN, 'prompt');
    });
    afterAll(() => device.close());

    async function open(file: string): Promise<Checkpoint> {
      return openCheckpoint(bytesSource(await bytesOf(file)));
    }

    /** The i32 tensor of a golden file. */
    async function integers(file: string, name: string): Promise<number[]> {
      const bytes = await (await open(file)).read(name);
      return [...new Int32Array(Uint8Array.from(bytes).buffer)];
    }

    function filled(dtype: 'f32' | 'i32', data: readonly number[]): DeviceBuffer {
      const buffer = device.alloc(dtype, data.length);
      device.write(buffer, data);
      return buffer;
    }

    async function reset(slots: readonly number[]): Promise<void> {
      const inputs = { slots: filled('i32', slots) };
      await device.run(executables.reset, { sizes: { S: slots.length }, inputs, outputs: {} });
    }

    /** Tokens that follow `tokens` in a slot. */
    async function decode(
      graph: 'greedy' | 'sample',
      slot: number,
      tokens: readonly number[],
      steps = 1,
      u: readonly number[] = [],
    ): Promise<number[]> {
      const settings = [0.9, 20, 0.9, 0.01, 0.3, 0.3, 1.1, 0.99];
      const drawSlots = filled('i32', [slot]);
      const drawn = { drawSlots, settings: filled('f32', settings), u: filled('f32', u) };
      const next = device.alloc('i32', steps);
      const inputs = {
        tokens: filled('i32', tokens),
        starts: filled('i32', [0, tokens.length]),
        slots: filled('i32', [slot]),
        rows: filled('i32', [tokens.length - 1]),
        ...(graph === 'sample' ? drawn : {}),
      };
      const feed = graph === 'sample' ? ['u'] : [];
      const loop: Loop = { steps, carry: steps > 1 ? { tokens: 'next' } : {}, feed, collect: ['next'] };
      await device.run(
        executables[graph],
        { sizes: { N: tokens.length, S: 1, R: 1 }, inputs, outputs: { next } },
        loop,
      );
      expect([...(await device.read(inputs.tokens))]).toEqual(tokens);
      return [...(await device.read(next))];
    }

    it('gives the golden tokens, and 64 in one run as 64 single runs do', async () => {
      const wanted = await integers(GOLDEN, 'greedy');
      await reset([0, 2]);
      const first = await decode('greedy', 0, prompt);
      expect(first).toEqual(wanted.slice(0, 1));
      const together = await decode('greedy', 0, first, STEPS);
      expect([...first, ...together].slice(0, wanted.length)).toEqual(wanted);

      const alone = await decode('greedy', 2, prompt);
      while (alone.length <= STEPS) alone.push(...(await decode('greedy', 2, alone.slice(-1))));
      expect([...first, ...together]).toEqual(alone);
    });

    it('draws what single runs draw', async () => {
      const u = Array.from({ length: STEPS }, (_, i) => (i * 0.618) % 1);
      await reset([0, 1]);
      const together = await decode('sample', 0, [7], u.length, u);
      const alone: number[] = [];
      for (const x of u) alone.push(...(await decode('sample', 1, alone.length > 0 ? alone.slice(-1) : [7], 1, [x])));
      expect(together).toEqual(alone);
      expect(new Set(together).size).toBeGreaterThan(3);
    });
  });
}
