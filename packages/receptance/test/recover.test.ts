import { reference } from '@receptance/backend-reference';
import { type Backend, BackendUnavailableError, type Device, ReceptanceError } from '@receptance/core';
import { expect, it } from 'vitest';
import { load } from '../src/index.ts';
import { collect, take } from './support/collect.ts';
import { randomModel } from './support/models.ts';
import { loseAndRecover } from './support/recovering.ts';

/** The reference backend, whose devices can be lost: after that every call is refused. */
function losable(): { readonly backend: Backend; lose(): Promise<void>; refuse: boolean; opened: number } {
  let lost: ReadonlySet<Device> = new Set();
  const devices: Device[] = [];
  const own = {
    refuse: false,
    opened: 0,
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
              const mayFail = ['run', 'read', 'write', 'copy', 'loadParameters', 'compile'].includes(String(name));
              if (lost.has(guarded) && mayFail) throw new ReceptanceError('DEVICE_LOST', 'lost', { hint: 'recover' });
              return Reflect.apply(found, target, args);
            };
          },
        });
        devices.push(guarded);
        return guarded;
      },
    } satisfies Backend,
    async lose() {
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
  const generation = session.generate({ greedy: true, maxTokens: 8 });
  await take(generation, 0);
  const first = [await generation.next(), await generation.next()].map(({ value }) => Object(value).token);
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
