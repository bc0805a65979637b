import { rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Backend, type DeviceInfo, extendKernels, type OpenOptions, ReceptanceError } from '@receptance/core';
import { OnnxDevice } from './device.ts';
import { READER } from './executable.ts';
import { kernels as ownKernels } from './kernel-table.ts';
import { Block } from './lowering/block.ts';
import { checkOptions, type OnnxOptions, type Provider } from './options.ts';
import { encodeModel } from './proto/model.ts';
import { checkProvider, providerError, sessionOptions } from './providers.ts';
import { makeFolder } from './temporary-folder.ts';
import { RuntimeThread } from './worker/client.ts';

export { type Exported, type ExportOptions, exportOnnx } from './export/export.ts';
export { verifyExport } from './export/sums.ts';
export type { KernelOf, OnnxKernel } from './kernel.ts';
export type { Block, Ref } from './lowering/block.ts';
export type { Activations, Form, Lowering, Recurrence } from './lowering/lowering.ts';
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
  const {
    provider = 'cpu',
    directory = tmpdir(),
    recurrence = 'attention',
    activations = 'int8',
    session = {},
  } = options;
  const threads = options.threads ?? Math.min(availableParallelism(), MOST_THREADS);
  return {
    specVersion: 1,
    name: 'onnx',
    async open({ signal }: OpenOptions = {}) {
      signal?.throwIfAborted();
      const { thread, version } = await start(provider);
      let folder: string | undefined;
      try {
        folder = await makeFolder(directory);
        if (provider !== 'cpu') await openReader(thread, provider, folder);
        const info: DeviceInfo = {
          ...{ backend: 'onnx', adapter: `ONNX Runtime ${version}, ${provider}`, float: 'f32', ragged: true },
          threads: provider === 'cpu' ? threads : 1,
          ...(provider === 'cpu' && activations === 'int8' ? { blockActivations: 'int8' } : {}),
        };
        return new OnnxDevice({
          ...{ thread, kernels, info, folder, target: { provider, standard: false, recurrence, activations } },
          session: sessionOptions(provider, threads, session),
        });
      } catch (error) {
        await thread.end();
        if (folder !== undefined) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
        throw error;
      }
    },
  };
}

async function start(provider: Provider): Promise<{ readonly thread: RuntimeThread; readonly version: string }> {
  // CUDA would round factors of products to 10 bits otherwise; it reads this when it is loaded.
  if (provider === 'cuda') process.env['NVIDIA_TF32_OVERRIDE'] ??= '0';
  const { thread, ready } = await RuntimeThread.start();
  try {
    checkProvider(provider);
    return { thread, version: ready.version };
  } catch (error) {
    await thread.end();
    throw error;
  }
}

/** Opens the smallest model there is: a provider's libraries are loaded with the first. @throws BackendUnavailableError, ReceptanceError `WRITE_FAILED` */
async function openReader(thread: RuntimeThread, provider: Provider, folder: string): Promise<void> {
  const block = new Block();
  const x = block.input({ name: 'x', type: 'float32' });
  block.output(x, { name: 'y', type: 'float32' });
  const model = encodeModel({ graph: block.finish('reader'), opsets: { '': 21 } });
  const options = sessionOptions(provider, 1, {});
  try {
    await thread.ask({ kind: 'open', session: READER, path: join(folder, 'reader.onnx'), model, options });
  } catch (error) {
    const isOfProvider = ReceptanceError.isInstance(error) && error.code !== 'WRITE_FAILED';
    throw isOfProvider ? providerError(provider, error.message) : error;
  }
}
