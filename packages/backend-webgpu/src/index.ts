import {
  type Backend,
  BackendUnavailableError,
  type Bindings,
  type Device,
  type Executable,
  extendKernels,
  type Graph,
  type KernelTable,
  type OpenOptions,
  ReceptanceError,
  type Sizes,
  type WeightSource,
} from '@receptance/core';
import { type DeviceParts, type PlannedDispatch, WebGpuDevice } from './device.ts';
import type { WebGpuKernel } from './kernel.ts';
import { kernels as ownKernels } from './kernel-table.ts';
import { findAdapter, findGpu, openDevice } from './platform.ts';
import type { GpuProfile } from './profile.ts';
import { selfTest } from './self-test.ts';
import { subgroupOf } from './subgroups.ts';
import { untuned } from './tuning.ts';
import { type TuningStore, tuningOf } from './tuning-store.ts';

export type { PlannedDispatch } from './device.ts';
export type {
  Binding,
  KernelOf,
  Launch,
  LowerContext,
  Operand,
  Program,
  Scratch,
  Shader,
  WebGpuKernel,
} from './kernel.ts';
export type { GpuProfile, GpuRoofline, ProfiledDispatch } from './profile.ts';
export type { Tuning } from './tuning.ts';
export type { TuningStore } from './tuning-store.ts';
export type { Weight, WeightPart } from './weight.ts';

export interface WebGpuOptions {
  /**
   * A device to share with the app, or what gives one, which is asked again when a model recovers from the loss of the
   * device; `close` leaves it open. Raise its limits: the defaults bind 128 MiB at most.
   */
  readonly device?: GPUDevice | (() => GPUDevice | Promise<GPUDevice>);
  /** Where adapters come from, instead of `navigator.gpu` or the npm package `webgpu`. */
  readonly gpu?: GPU;
  /** Bytes of the largest piece of GPU memory for weights, which are split above it; by default what the adapter binds. */
  readonly maxWeightBytes?: number;
  /** Subgroups add up faster; without them the same is done by way of shared memory. Default: where there are any. */
  readonly subgroups?: boolean;
  /** Whether a small model is run first, and a driver that computes it wrong refused. Default true. */
  readonly selfTest?: boolean;
  /**
   * Whether shapes of work are tried when the device opens, for some tenths of a second, unless `tunings` has what was found
   * before. Software GPUs, and those without timestamps, are not tried. Default true.
   */
  readonly tune?: boolean;
  /** Where tunings are kept, by the identity of a GPU. By default they are forgotten with the process or the page. */
  readonly tunings?: TuningStore;
  /** For tests of kernels: memory ends with a band, and `read` refuses results (`BAD_KERNEL`) once one was written. Default false. */
  readonly guards?: boolean;
  /** Kernels that take precedence over the backend's own. */
  readonly kernels?: KernelTable<WebGpuKernel>;
}

/**
 * Runs graphs on the GPU through WebGPU: in browsers, and in Node by the npm package `webgpu`.
 */
export function webgpu(options: WebGpuOptions = {}): Backend {
  const kernels = extendKernels(ownKernels, options.kernels);
  return {
    specVersion: 1,
    name: 'webgpu',
    async open(open: OpenOptions = {}) {
      open.signal?.throwIfAborted();
      const { gpu, ...origin } = await deviceOf(options);
      const subgroup = options.subgroups === false ? 0 : await subgroupOf(gpu);
      const tuning = options.tune === false ? untuned(subgroup) : await tuningOf(gpu, subgroup, options.tunings, open);
      const device = new WebGpuDevice({
        ...{ gpu, ...origin, kernels },
        adapter: describe(gpu.adapterInfo),
        ...{ subgroup, tuning },
        maxWeightBytes: options.maxWeightBytes,
        guarded: options.guards,
      });
      if (options.selfTest === false) return device;
      try {
        await selfTest(device);
        return device;
      } catch (error) {
        await device.close();
        throw error;
      }
    },
  };
}

/**
 * What one step of a graph dispatches on a device of this backend, with all symbols at these sizes. Loads no weights and
 * compiles nothing.
 */
export function dispatchesOf(
  device: Device,
  source: Pick<WeightSource, 'tensors'>,
  graph: Graph,
  sizes: Sizes,
): PlannedDispatch[] {
  return ownDevice(device).dispatches(source, graph, sizes);
}

/**
 * One step on a device of this backend, every dispatch timed by itself: between them the GPU does less at once than in a run.
 * @param runs of which the median counts
 * @throws ReceptanceError `NO_TIMESTAMPS` where the GPU or the browser has none, and what `Device.run` throws
 */
export async function profile(
  device: Device,
  executable: Executable,
  bindings: Bindings,
  runs = 5,
): Promise<GpuProfile> {
  return ownDevice(device).profile(executable, bindings, runs);
}

/** @throws ReceptanceError `FOREIGN_OBJECT` */
function ownDevice(device: Device): WebGpuDevice {
  if (device instanceof WebGpuDevice) return device;
  throw new ReceptanceError('FOREIGN_OBJECT', `this is a device of ${device.info.backend}`, {
    hint: 'give one that webgpu() has opened',
  });
}

type Origin = Pick<DeviceParts, 'gpu' | 'source' | 'owned'>;

/** The app's device, or one of this backend's own. */
async function deviceOf({ device, gpu }: WebGpuOptions): Promise<Origin> {
  if (device !== undefined) {
    const shared = typeof device === 'function' ? await device() : device;
    const lost = await lossOf(shared);
    if (lost === undefined) return { gpu: shared, owned: false };
    throw new BackendUnavailableError('webgpu', `the device that was passed is lost (${lost.reason})`, {
      hint: 'pass a function that gives one, webgpu({ device: () => … }), so that another can be asked for',
    });
  }
  const source = gpu ?? (await findGpu());
  return { gpu: await openDevice(await findAdapter(source)), source, owned: true };
}

/** Why a device is of no use any more. */
function lossOf(device: GPUDevice): Promise<GPUDeviceLostInfo | undefined> {
  return Promise.race([device.lost, new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 0))]);
}

/** What a person would call the GPU, as far as the browser tells. */
function describe({ description, device, vendor, architecture }: GPUAdapterInfo): string {
  return description || device || [vendor, architecture].filter((part) => part !== '').join(' ') || 'GPU';
}
