import { BackendUnavailableError } from '@receptance/core';

const VULKAN_HINT =
  'install a Vulkan driver: on Debian `apt-get install libvulkan1 mesa-vulkan-drivers` for a GPU; without one, `apt-get ' +
  'install libvulkan1 chromium` and VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json';

/** The one place that knows where WebGPU comes from: the browser, or Dawn through the npm package `webgpu`. */
export async function findGpu(): Promise<GPU> {
  const found = browserGpu();
  if (found !== undefined) return found;
  if (!('process' in globalThis)) {
    throw new BackendUnavailableError('webgpu', 'there is no navigator.gpu', {
      hint: 'use a browser with WebGPU, over https or from localhost; or use the wasm backend',
    });
  }
  return await dawn();
}

function browserGpu(): GPU | undefined {
  const { gpu }: { readonly gpu?: GPU } = globalThis.navigator ?? {};
  return gpu;
}

async function dawn(): Promise<GPU> {
  // By way of a variable, so that a bundler for browsers does not look for the package.
  const specifier = 'webgpu';
  let module: typeof import('webgpu');
  try {
    module = await import(/* @vite-ignore */ /* webpackIgnore: true */ specifier);
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND';
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BackendUnavailableError('webgpu', missing ? 'the npm package webgpu is not installed' : reason, {
      hint: missing ? 'npm install webgpu' : 'the npm package webgpu does not load on this system',
      cause,
    });
  }
  // Timestamps of whole nanoseconds: for profiles alone, and of no use to an attacker who runs code in Node.
  return module.create(['disable-dawn-features=timestamp_quantization']);
}

/** The best adapter. @throws BackendUnavailableError */
export async function findAdapter(gpu: GPU): Promise<GPUAdapter> {
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter !== null) return adapter;
  throw new BackendUnavailableError('webgpu', 'WebGPU finds no adapter on this machine', {
    hint: browserGpu() === undefined ? VULKAN_HINT : 'switch hardware acceleration on, or use the wasm backend',
  });
}

/** Limits that are asked for as far as the adapter goes; the defaults are made for phones. */
const WANTED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxStorageBuffersPerShaderStage',
] as const satisfies readonly (keyof GPUSupportedLimits)[];

/** Features that are used where they are. */
const WANTED_FEATURES = ['subgroups', 'timestamp-query'] as const satisfies readonly GPUFeatureName[];

/** @throws BackendUnavailableError */
export async function openDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const requiredLimits = Object.fromEntries(WANTED_LIMITS.map((name) => [name, adapter.limits[name]]));
  const requiredFeatures = WANTED_FEATURES.filter((name) => adapter.features.has(name));
  try {
    return await adapter.requestDevice({ label: 'receptance', requiredLimits, requiredFeatures });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BackendUnavailableError('webgpu', `the adapter gives no device: ${reason}`, {
      hint: 'close what else uses the GPU, or update its driver',
      cause,
    });
  }
}
