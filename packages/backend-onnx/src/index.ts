import { mkdtemp } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Backend, type DeviceInfo, extendKernels, type OpenOptions } from '@receptance/core';
import { OnnxDevice } from './device.ts';
import { kernels as ownKernels } from './kernel-table.ts';
import { checkOptions, type OnnxOptions } from './options.ts';
import { checkProvider, sessionOptions } from './providers.ts';
import { RuntimeThread } from './worker/client.ts';

export type { KernelOf, OnnxKernel } from './kernel.ts';
export type { Block, Ref } from './lowering/block.ts';
export type { Form, Lowering, Recurrence } from './lowering/lowering.ts';
export type { OnnxOptions, Provider, SessionSettings } from './options.ts';

/** Most threads that are used unless more are asked for. */
const MOST_THREADS = 8;

/**
 * ONNX Runtime in Node, by the npm package `onnxruntime-node`: on the CPU, on NVIDIA GPUs through CUDA, on any GPU
 * through WebGPU.
 * @throws ReceptanceError `BAD_OPTION` for an option that would have no effect
 */
export function onnx(options: OnnxOptions = {}): Backend {
  checkOptions(options);
  const kernels = extendKernels(ownKernels, options.kernels);
  const { provider = 'cpu', directory = tmpdir() } = options;
  const threads = options.threads ?? Math.min(availableParallelism(), MOST_THREADS);
  return {
    specVersion: 1,
    name: 'onnx',
    async open({ signal }: OpenOptions = {}) {
      signal?.throwIfAborted();
      const { thread, ready } = await RuntimeThread.start();
      try {
        checkProvider(provider, ready.providers);
        const info: DeviceInfo = {
          ...{ backend: 'onnx', adapter: `ONNX Runtime ${ready.version}, ${provider}`, float: 'f32', ragged: true },
          threads: provider === 'cpu' ? threads : 1,
        };
        const folder = await mkdtemp(join(directory, 'receptance-onnx-'));
        const recurrence = options.recurrence ?? 'scan';
        return new OnnxDevice({
          ...{ thread, kernels, info, folder, target: { provider, standard: false, recurrence } },
          session: (parameters) => sessionOptions(provider, threads, options.session ?? {}, parameters.data),
        });
      } catch (error) {
        await thread.end();
        throw error;
      }
    },
  };
}
