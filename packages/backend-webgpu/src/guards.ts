import { ReceptanceError } from '@receptance/core';
import { MAP_READ, USAGE } from './memory.ts';

/** Bytes behind a piece of memory that shaders see and that are nobody's. */
export const GUARD_BYTES = 256;
/** What they hold: as f32 a NaN, as an index one that is out of range everywhere. */
const PATTERN = 0x7fc0dead;

interface Guarded {
  readonly label: string;
  readonly gpu: GPUBuffer;
  /** Byte where the band begins. */
  readonly end: number;
}

/**
 * Bands behind pieces of memory. What a kernel reads past the end of its memory is then not a number, and what it writes there is
 * found: WebGPU itself moves such accesses to the end of what is bound, where they would do quiet harm.
 */
export class Guards {
  readonly #device: GPUDevice;
  readonly #guarded = new Set<Guarded>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Fills the band of a buffer that has room for it from byte `end` on. @returns what lets go of it */
  add(label: string, gpu: GPUBuffer, end: number): () => void {
    this.#device.queue.writeBuffer(gpu, end, new Uint32Array(GUARD_BYTES / 4).fill(PATTERN));
    const guarded: Guarded = { label, gpu, end };
    this.#guarded.add(guarded);
    return () => this.#guarded.delete(guarded);
  }

  /** @throws ReceptanceError `BAD_KERNEL` where something was written past the end of its memory */
  async check(): Promise<void> {
    const all = [...this.#guarded];
    const size = Math.max(4, all.length * GUARD_BYTES);
    const staging = this.#device.createBuffer({ size, usage: USAGE.mapRead | USAGE.copyTarget });
    try {
      const encoder = this.#device.createCommandEncoder();
      all.forEach(({ gpu, end }, i) => {
        encoder.copyBufferToBuffer(gpu, end, staging, i * GUARD_BYTES, GUARD_BYTES);
      });
      this.#device.queue.submit([encoder.finish()]);
      await staging.mapAsync(MAP_READ);
      const words = new Uint32Array(staging.getMappedRange());
      const bad = words.findIndex((word, i) => word !== PATTERN && i < (all.length * GUARD_BYTES) / 4);
      if (bad < 0) return;
      const { label } = all[Math.floor((bad * 4) / GUARD_BYTES)] ?? { label: 'memory' };
      throw new ReceptanceError('BAD_KERNEL', `a kernel wrote past the end of ${label}`, {
        hint: 'hold the index against the size in params before y is written',
      });
    } finally {
      staging.destroy();
    }
  }
}
