import type { OpenOptions } from '@receptance/core';
import { lanesUpTo, TILES, type Tuning, untuned, WORKGROUPS } from './tuning.ts';
import { quickest } from './tuning-trials.ts';

/** Where tunings are kept from one opening to the next, by the identity of an adapter: a `Map`, a file, `localStorage`. */
export interface TuningStore {
  get(adapter: string): string | null | undefined | Promise<string | null | undefined>;
  set(adapter: string, tuning: string): unknown;
}

/** As long as the process or the page lives. */
const remembered: TuningStore = new Map<string, string>();

/**
 * What the store has for this adapter; where it has nothing or nothing of use, what is measured now, which is then kept. A
 * software GPU and one without timestamps are not measured. A store that fails is as one that is empty, and what is wrong with
 * the device shows at its first work.
 */
export async function tuningOf(
  gpu: GPUDevice,
  subgroup: number,
  store: TuningStore = remembered,
  options: OpenOptions = {},
): Promise<Tuning> {
  const initial = untuned(subgroup);
  const key = identityOf(gpu.adapterInfo, initial);
  const stored = parsed(await attempt(() => store.get(key)), initial);
  if (stored !== undefined) return stored;
  if (gpu.adapterInfo.isFallbackAdapter || !gpu.features.has('timestamp-query')) return initial;
  const found = await attempt(() => quickest(gpu, subgroup > 0, initial, options));
  options.signal?.throwIfAborted();
  if (found === undefined) return initial;
  await attempt(() => store.set(key, JSON.stringify(found)));
  return found;
}

/** What tells GPUs apart, as far as the browser tells, and ways of adding up. */
function identityOf({ vendor, architecture, device, description }: GPUAdapterInfo, { lanes }: Tuning): string {
  return ['receptance-tuning-1', vendor, architecture, device, description, lanes].join('|');
}

async function attempt<T>(body: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await body();
  } catch {
    return undefined;
  }
}

/** A tuning as it was stored, unless it is damaged or another than kernels run with. */
function parsed(text: unknown, { lanes: most }: Tuning): Tuning | undefined {
  if (typeof text !== 'string') return undefined;
  let found: Readonly<Record<keyof Tuning, unknown>> | null;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined;
  }
  const lanes = lanesUpTo(most).find((each) => each === found?.lanes);
  const workgroup = WORKGROUPS.find((each) => each === found?.workgroup);
  const tile = TILES.find((each) => each === found?.tile);
  return lanes === undefined || workgroup === undefined || tile === undefined ? undefined : { lanes, workgroup, tile };
}
