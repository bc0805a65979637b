import { type DeviceBuffer, ReceptanceError } from '@receptance/core';
import { GUARD_BYTES, type Guards } from './guards.ts';

/** The standard's values, which Node has no global objects for. */
export const USAGE = { mapRead: 1, copySource: 4, copyTarget: 8, uniform: 64, storage: 128 } as const;
export const MAP_READ = 1;

const STORAGE: number = USAGE.storage | USAGE.copySource | USAGE.copyTarget;

/** At least 16 bytes, since WebGPU binds nothing of size 0. */
function storageBytes(elements: number): number {
  return Math.max(16, elements * 4);
}

/** @throws ReceptanceError `TENSOR_TOO_LARGE` when one binding cannot hold so many elements, `OUT_OF_RANGE` */
export function checkSize({ limits }: Pick<GPUDevice, 'limits'>, label: string, elements: number): void {
  if (!Number.isSafeInteger(elements) || elements < 0) {
    throw new ReceptanceError('OUT_OF_RANGE', `${label} would have ${elements} elements`, {
      hint: 'lengths are whole numbers ≥ 0',
    });
  }
  const [bytes, most] = [storageBytes(elements), largestBinding({ limits })];
  if (bytes <= most) return;
  throw new ReceptanceError('TENSOR_TOO_LARGE', `${label} takes ${bytes} bytes, the GPU binds ${most} at most`, {
    hint: 'only matrices of weights are split: use fewer state slots, or smaller limits where it is an activation',
  });
}

/** Bytes of the largest piece of memory that a shader can see. */
export function largestBinding({ limits }: Pick<GPUDevice, 'limits'>): number {
  return Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
}

/** Where memory comes from. */
export interface Room {
  readonly gpu: GPUDevice;
  /** In tests of kernels. */
  readonly guards?: Guards | undefined;
}

/** A piece of GPU memory with a number that is never used again, by which bind groups are remembered. */
export class Memory {
  static #made = 0;
  readonly id: number = Memory.#made++;
  readonly gpu: GPUBuffer;
  readonly bytes: number;

  readonly #unguard: () => void;

  private constructor(gpu: GPUBuffer, bytes: number, unguard: () => void = () => {}) {
    this.gpu = gpu;
    this.bytes = bytes;
    this.#unguard = unguard;
  }

  /** Zeroed memory for shaders to read and write. @throws ReceptanceError as `checkSize` */
  static forStorage({ gpu, guards }: Room, label: string, elements: number): Memory {
    checkSize(gpu, label, elements);
    const size = storageBytes(elements);
    if (guards === undefined) return new Memory(gpu.createBuffer({ label, size, usage: STORAGE }), size);
    const buffer = gpu.createBuffer({ label, size: size + GUARD_BYTES, usage: STORAGE });
    return new Memory(buffer, size, guards.add(label, buffer, size));
  }

  static forParams(device: GPUDevice, label: string, bytes: number): Memory {
    return new Memory(device.createBuffer({ label, size: bytes, usage: USAGE.uniform | USAGE.copyTarget }), bytes);
  }

  destroy(): void {
    this.#unguard();
    this.gpu.destroy();
  }
}

/** A piece of memory that a shader sees; all of it where nothing else is said. In bytes. */
export interface Range {
  readonly memory: Memory;
  readonly offset?: number;
  readonly size?: number;
}

/** Everything that a device has handed out and that still takes memory. */
export class Handles {
  readonly #alive = new Set<Handle>();

  add(handle: Handle): void {
    this.#alive.add(handle);
  }

  forget(handle: Handle): void {
    this.#alive.delete(handle);
  }

  freeAll(): void {
    for (const handle of this.#alive) handle.free();
  }

  /** The object itself, if it is one of these. @throws ReceptanceError `FOREIGN_OBJECT` */
  own<T extends Handle>(object: unknown, type: abstract new (...args: never[]) => T): T {
    if (object instanceof type && this.#alive.has(object)) return object;
    throw new ReceptanceError('FOREIGN_OBJECT', 'this belongs to another device or backend, or was freed', {
      hint: 'use buffers, parameters and executables with the device that made them, until they are freed',
    });
  }
}

/** One of these; of no use to others, nor after `free`. */
export abstract class Handle {
  readonly #handles: Handles;

  constructor(handles: Handles) {
    this.#handles = handles;
    handles.add(this);
  }

  free(): void {
    this.#handles.forget(this);
  }
}

/** A tensor as the contract knows it. */
export class WebGpuBuffer extends Handle implements DeviceBuffer {
  readonly dtype: 'f32' | 'i32';
  readonly elements: number;
  readonly memory: Memory;

  constructor(handles: Handles, dtype: 'f32' | 'i32', elements: number, memory: Memory) {
    super(handles);
    this.dtype = dtype;
    this.elements = elements;
    this.memory = memory;
  }

  override free(): void {
    super.free();
    this.memory.destroy();
  }

  /** @throws ReceptanceError `OUT_OF_RANGE` */
  checkRange(offset: number, elements: number): void {
    const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(elements);
    if (whole && offset >= 0 && elements >= 0 && offset + elements <= this.elements) return;
    throw new ReceptanceError(
      'OUT_OF_RANGE',
      `elements ${offset} to ${offset + elements} of a buffer of ${this.elements}`,
      {
        hint: 'offsets and lengths count elements',
      },
    );
  }
}
