import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { BackendUnavailableError } from '@receptance/core';
import type { Provider, SessionSettings } from './options.ts';
import { RUNTIME_VERSION } from './worker/client.ts';
import type { SessionOptions } from './worker/messages.ts';

/** What the CUDA provider is made of, beside the binding. */
export const CUDA_LIBRARIES = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'] as const;

const CUDA_HINT =
  `for CUDA 12: ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node; for CUDA 13: copy both out of the PyPI package ` +
  `onnxruntime-gpu==${RUNTIME_VERSION} (onnxruntime/capi) to that folder. They also need cuDNN 9 and that CUDA's libraries on LD_LIBRARY_PATH`;

const VULKAN_HINT =
  'install a Vulkan driver: on Debian `apt-get install libvulkan1 mesa-vulkan-drivers` for a GPU; without one, `apt-get install ' +
  'libvulkan1 chromium` and VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json';

/** What can be told of a provider without opening it. @throws BackendUnavailableError */
export function checkProvider(
  provider: Provider,
  { platform, arch }: { readonly platform: string; readonly arch: string } = process,
  folder: string = bindingFolder(),
): void {
  if (provider === 'cpu') return;
  const where = `${platform} on ${arch}`;
  if (provider === 'webgpu') {
    if (platform !== 'linux' || arch !== 'arm64') return;
    throw unavailable(`onnxruntime-node has no WebGPU for ${where}`, 'use the backend webgpu, or the cpu provider');
  }
  if (platform !== 'linux' || arch !== 'x64') {
    throw unavailable(`onnxruntime-node has no CUDA for ${where}`, 'use Linux on x64, or the webgpu provider');
  }
  const missing = CUDA_LIBRARIES.filter((file) => !existsSync(join(folder, file)));
  if (missing.length === 0) return;
  throw unavailable(`the CUDA provider needs ${missing.join(' and ')} in ${folder}`, CUDA_HINT);
}

/** Why a provider did not open, from what ONNX Runtime says. */
export function providerError(provider: Provider, message: string): BackendUnavailableError {
  const library = /(lib[\w-]+\.so(?:\.\d+)*): cannot open shared object/.exec(message)?.[1];
  if (provider === 'cuda' && library !== undefined) {
    const version = /\.so\.(\d+)/.exec(library)?.[1];
    const part = /cudnn/.test(library) ? `cuDNN ${version ?? 9}` : `CUDA ${version ?? ''}`.trim();
    return unavailable(
      `the CUDA provider does not find ${library}, which is a part of ${part}`,
      `install ${part} and put its folder on LD_LIBRARY_PATH; pip's nvidia-* packages hold it, too`,
    );
  }
  const hint = provider === 'cuda' ? 'it needs an NVIDIA GPU and its driver; nvidia-smi shows both' : VULKAN_HINT;
  return unavailable(`the ${provider} provider does not open: ${message}`, hint);
}

function unavailable(reason: string, hint: string): BackendUnavailableError {
  return new BackendUnavailableError('onnx', reason, { hint });
}

/** Where the binding of this platform lies. */
function bindingFolder(): string {
  const main = createRequire(import.meta.url).resolve('onnxruntime-node');
  return join(dirname(main), '..', 'bin', 'napi-v6', process.platform, process.arch);
}

/** What sessions of a device are opened with. */
export function sessionOptions(
  provider: Provider,
  threads: number,
  { spinning = true, ...settings }: SessionSettings,
): SessionOptions {
  return {
    logSeverityLevel: 3,
    ...settings,
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    extra: {
      session: {
        intra_op: { allow_spinning: spinning ? '1' : '0' },
        // Nothing may leave the GPU without a word.
        ...(provider === 'webgpu' ? { disable_cpu_ep_fallback: '1' } : {}),
      },
    },
  };
}
