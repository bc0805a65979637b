import type { GoldenFile } from '@receptance/conformance';

/** How a checkpoint is stored shows in a few kernels only: of each model, one file of each format that has its own. */
export function shownOnGpu<File extends Pick<GoldenFile, 'name'>>(files: readonly File[]): File[] {
  return files.filter(
    ({ name }) => !name.includes('_hf') && (name.endsWith('.safetensors') || /rwkv7.*\.q[48]_0\.gguf/.test(name)),
  );
}

/** A sum of terms of both signs that cancel, so that little of it is left to compare. */
const CANCELLED = { nmse: 1e-8 };

/** Where an f32 on a GPU cannot be held to the tolerance of the case. */
export const TOLERANCE = {
  'reduce/gradient/max,[N,9] over 1/loss': CANCELLED,
  'slice/gradient/[N,7] 2:5/loss': CANCELLED,
  'broadcast/gradient/[2,1,3] to [N,2,4,3]/loss': CANCELLED,
  'softmax/gradient/[N,2,7]/loss': CANCELLED,
  'wkv6/gradient/N=7,S=1,H=2,D=8,lengths=7/loss': CANCELLED,
  // Near 1000 the neighbours of an f32 are 6e-5 apart, and so are the exponents of neighbouring sums.
  'wkv4/gradient/|k|=1e3': { nmse: 1e-7, maxAbs: 5e-4 },
  // All of it is below 1e-37, where f32 has few digits left and a GPU may have none.
  'wkv4/gradient/decay underflows/grad.w': { nmse: 1 },
};
