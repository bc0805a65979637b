import { reference } from '@receptance/backend-reference';
import { bytesSource } from '@receptance/checkpoint';
import { type Backend, BackendUnavailableError, type Device, ReceptanceError } from '@receptance/core';
import { expect, it } from 'vitest';
import { load, type Model } from '../src/index.ts';
import { collect, take } from './support/collect.ts';
import { randomModel } from './support/models.ts';
import { loseAndRecover } from './support/recovering.ts';

/** The reference backend, whose devices can be lost: after that calls are refused, by default all. A run that loops is a `loop`. */
function losable(): {
  readonly backend: Backend;
  lose(calls?: readonly string[]): Promise<void>;
  refuse: boolean;
  refuseWrites: number;
  opened: number;
  loops: number;
} {
  let lost: ReadonlySet<Device> = new Set();
  let refused: readonly string[] = [];
  const devices: Device[] = [];
  const own = {
    refuse: false,
    refuseWrites: 0,
    opened: 0,
    loops: 0,
    backend: {
      specVersion: 1,
      name: 'losable',
      async open() {
        if (own.refuse) throw new BackendUnavailableError('losable', 'there is none', { hint: 'wait' });
        own.opened++;
        const device = await reference().open();
        const guarded = new Proxy(device, {
          get(target, name) {
            const found = Reflect.get(target, name, target);
            if (typeof found !== 'function') return found;
            return (...args: unknown[]) => {
              const call = name === 'run' && args[2] !== undefined ? 'loop' : String(name);
              if (call === 'loop') own.loops++;
              if (lost.has(guarded) && refused.includes(call))
                throw new ReceptanceError('DEVICE_LOST', 'lost', { hint: 'recover' });
              if (name === 'write' && own.refuseWrites > 0) {
                own.refuseWrites--;
                throw new ReceptanceError('OUT_OF_MEMORY', 'no memory', { hint: 'wait' });
              }
              return Reflect.apply(found, target, args);
            };
          },
        });
        devices.push(guarded);
        return guarded;
      },
    } satisfies Backend,
    async lose(calls = ['run', 'loop', 'read', 'write', 'copy', 'loadParameters', 'compile']) {
      refused = calls;
      lost = new Set(devices);
    },
  };
  return own;
}

/** The code of the error that a promise ends with. */
async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'none',
    (error: unknown) => (ReceptanceError.isInstance(error) ? error.code : String(error)),
  );
}

it('a model goes on after the loss of its device, from the states last saved', async () => {
  const device = losable();
  const story = await loseAndRecover(device);
  expect(story).toMatchObject({ code: 'DEVICE_LOST,DEVICE_LOST', length: 7, others: [0, 7], sameLogits: true });
  expect(story.recovered).toEqual(story.undisturbed);
  expect(device.opened).toBe(2);
});

it('bytes in memory are not kept, and have to be the same', async () => {
  const device = losable();
  const model = await load(randomModel(1), { backend: device.backend });
  const session = await model.session();
  await session.prefill([1, 2]);
  await device.lose();
  expect(await codeOf(model.recover())).toBe('NO_SOURCE');
  expect(await codeOf(model.recover({ source: randomModel(2) }))).toBe('WEIGHTS_CHANGED');
  // Until a device stands, no session pretends to.
  expect(await codeOf(session.prefill([1]))).toBe('SESSION_FAILED');
  await model.recover({ source: randomModel(1) });
  expect(session.length).toBe(0);
  expect(await session.prefill([1, 2, 3])).toBe(3);
  await model.close();
});

it('may be tried again when no device opens', async () => {
  const device = losable();
  const model = await load(new Blob([Uint8Array.from(randomModel())]), { backend: device.backend });
  const session = await model.session();
  await session.prefill([1, 2, 3, 4]);
  await session.save();
  await device.lose();
  device.refuse = true;
  expect(await codeOf(model.recover())).toBe('BACKEND_UNAVAILABLE');
  expect(await codeOf(session.save())).toBe('SESSION_FAILED');
  device.refuse = false;
  await model.recover();
  expect(session.length).toBe(4);
  await model.close();
  expect(await codeOf(model.recover())).toBe('MODEL_CLOSED');
});

it('waits for what is under way, and a generation goes on from where its session went back to', async () => {
  const device = losable();
  const model = await load(new Blob([Uint8Array.from(randomModel())]), { backend: device.backend });
  const session = await model.session();
  await session.prefill([1, 2, 3]);
  await session.save();
  const alone = await collect((await session.fork()).generate({ greedy: true, maxTokens: 6 }));
  const generation = session.generate({ greedy: true, maxTokens: 8, stepsPerRun: 2 });
  await take(generation, 0);
  const first = [await generation.next(), await generation.next()].map(({ value }) => Object(value).token);
  await device.lose(['run']);
  const recovering = model.recover();
  const fork = session.fork();
  await recovering;
  const rest = await collect(generation);
  expect(first).toEqual(alone.tokens.slice(0, 2));
  expect(rest.tokens).toEqual(alone.tokens);
  expect((await fork).length).toBe(3);
  await model.close();
});

it('goes back to a restored state, and lets go of closed sessions', async () => {
  const device = losable();
  const model = await load(new Blob([Uint8Array.from(randomModel())]), { backend: device.backend, maxSequences: 2 });
  const session = await model.session();
  const other = await model.session();
  await other.prefill([4, 5]);
  const saved = await other.save();
  await session.restore(saved);
  await session.prefill([6]);
  await device.lose();
  await other.close();
  await model.recover();
  expect(session.length).toBe(2);
  const [a, b] = [await session.save(), await (await model.session()).save()];
  expect(a.tensors).toEqual(saved.tensors);
  expect(b.length).toBe(0);
  await model.close();
});

/** A model that can lose its device, from a source that can be opened again. */
async function loadLosable(): Promise<{ readonly device: ReturnType<typeof losable>; readonly model: Model }> {
  const device = losable();
  return { device, model: await load(new Blob([Uint8Array.from(randomModel())]), { backend: device.backend }) };
}

it('recovers once from one loss, whoever asks and when', async () => {
  const { device, model } = await loadLosable();
  const [a, b] = [await model.session(), await model.session()];
  for (const session of [a, b]) {
    await session.prefill([1, 2, 3]);
    await session.save();
  }
  await device.lose();
  expect(await Promise.all([codeOf(a.decode()), codeOf(b.decode())])).toEqual(['DEVICE_LOST', 'DEVICE_LOST']);
  await Promise.all([model.recover(), model.recover()]);
  await a.prefill([4, 5]);
  await model.recover({ source: randomModel() });
  expect([a.length, b.length, device.opened]).toEqual([5, 3, 2]);
  await device.lose();
  await model.recover();
  expect([a.length, device.opened]).toEqual([3, 3]);
  await model.close();
});

it('a text that was lost whole is not continued, alone or in a batch', async () => {
  const { device, model } = await loadLosable();
  const session = await model.session();
  const generation = session.generate({ prompt: [1, 2, 3], greedy: true, maxTokens: 8 });
  await generation.next();
  const options = { greedy: true, maxTokens: 500, stopTokens: [], stepsPerRun: 1 };
  const batch = codeOf(model.generateBatch([[4], [6]], options));
  await expect.poll(() => device.loops, { interval: 1 }).toBeGreaterThan(9);
  // The loss is noticed, and mended, between two runs of the batch.
  await device.lose(['run']);
  await model.recover();
  expect(await batch).toBe('DEVICE_LOST');
  expect(await codeOf(generation.next())).toBe('DEVICE_LOST');
  expect(await session.prefill([1, 2])).toBe(2);
  await model.close();
});

it('goes back to what was saved, whatever becomes of the arrays that were given out and taken', async () => {
  const { device, model } = await loadLosable();
  const [a, b, c] = [await model.session(), await model.session(), await model.session()];
  await a.prefill([1, 2, 3]);
  const saved = await a.save();
  const kept = structuredClone(saved);
  const taken = structuredClone(saved);
  await b.restore(taken);
  await c.prefill([7, 7]);
  await c.save();
  for (const { data } of Object.values(taken.tensors)) data.fill(9);
  structuredClone(saved, { transfer: Object.values(saved.tensors).map(({ data }) => data.buffer as ArrayBuffer) });
  await device.lose();
  await model.recover();
  expect([await a.save(), await b.save()]).toEqual([kept, kept]);
  expect(c.length).toBe(2);
  await model.close();
});

it('a session that cannot be put back does not keep the others from it', async () => {
  const { device, model } = await loadLosable();
  const [a, b] = [await model.session(), await model.session()];
  for (const session of [a, b]) {
    await session.prefill([1, 2]);
    await session.save();
  }
  await device.lose();
  device.refuseWrites = 1;
  expect(await codeOf(model.recover())).toBe('OUT_OF_MEMORY');
  expect(await codeOf(a.decode())).toBe('SESSION_FAILED');
  expect(await b.prefill([3])).toBe(1);
  await model.close();
});

it('a source that loading closed is asked for before anything is given up', async () => {
  const device = losable();
  const source = { ...bytesSource(randomModel()), close: async () => {} };
  const model = await load(source, { backend: device.backend });
  const session = await model.session();
  await device.lose();
  expect(await codeOf(model.recover())).toBe('NO_SOURCE');
  expect(await codeOf(session.decode())).toBe('DEVICE_LOST');
  await model.recover({ source: randomModel() });
  expect(await session.prefill([1])).toBe(1);
  await model.close();
});

it('a model whose recovery failed asks for another', async () => {
  const { device, model } = await loadLosable();
  await device.lose();
  device.refuse = true;
  expect(await codeOf(model.recover())).toBe('BACKEND_UNAVAILABLE');
  const calls = [
    model.session(),
    model.logits([1]),
    model.nll([1, 2]),
    model.embed([1]),
    model.trace([1], { layer: 0 }),
  ];
  for (const call of calls) {
    await expect(call).rejects.toMatchObject({ code: 'DEVICE_LOST', hint: expect.stringContaining('recover()') });
  }
  await model.close();
});
