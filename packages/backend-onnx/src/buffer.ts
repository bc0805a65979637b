import { type DeviceBuffer, ReceptanceError } from '@receptance/core';

/** Something of one device, of no use after `free`. */
export abstract class DeviceObject {
  readonly device: object;
  freed = false;

  constructor(device: object) {
    this.device = device;
  }
}

/** Longest i32 buffer whose numbers are known on this side, too: where sequences start, and little else. */
const MOST_MIRRORED = 65_537;

/** Memory of the thread that holds ONNX Runtime, by its number there. */
export class OnnxBuffer extends DeviceObject implements DeviceBuffer {
  readonly id: number;
  readonly dtype: 'f32' | 'i32';
  readonly elements: number;
  /** Variables belong to their parameters and are freed with them. */
  readonly isVariable: boolean;
  /** The numbers that it holds once all that was asked for is done, where that can be told. */
  mirror: Int32Array | undefined;

  constructor(device: object, id: number, dtype: 'f32' | 'i32', elements: number, isVariable: boolean) {
    super(device);
    this.id = id;
    this.dtype = dtype;
    this.elements = elements;
    this.isVariable = isVariable;
    this.mirror = this.#isMirrored ? new Int32Array(elements) : undefined;
  }

  /** Notes what is written to it from an element on; of a copy that may not be known. */
  remember(numbers: Int32Array | Float32Array | undefined, offset: number): void {
    if (numbers === undefined) this.mirror = undefined;
    else if (this.#isMirrored && numbers.length === this.elements) this.mirror = Int32Array.from(numbers);
    else this.mirror?.set(numbers, offset);
  }

  get #isMirrored(): boolean {
    return this.dtype === 'i32' && this.elements <= MOST_MIRRORED;
  }
}

/** A caller's object, when it is of a kind, of a device, and not freed. @throws ReceptanceError `FOREIGN_OBJECT` */
export function ownObject<T extends DeviceObject>(
  device: object,
  object: unknown,
  type: abstract new (...args: never[]) => T,
): T {
  const isOwn = object instanceof type && object.device === device;
  if (isOwn && !object.freed) return object;
  throw new ReceptanceError('FOREIGN_OBJECT', `this ${isOwn ? 'was freed' : 'belongs to another device or backend'}`, {
    hint: 'use buffers, parameters and executables with the device that made them, until they are freed',
  });
}
