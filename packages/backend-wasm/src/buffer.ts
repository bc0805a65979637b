import { type DeviceBuffer, ReceptanceError } from '@receptance/core';
import type { Block } from './memory.ts';

/** Something that lies in one device's memory until it is freed. */
export abstract class DeviceObject {
  readonly device: object;
  freed = false;

  constructor(device: object) {
    this.device = device;
  }
}

/** `elements` numbers of 4 bytes from the start of a block. */
export class WasmBuffer extends DeviceObject implements DeviceBuffer {
  readonly dtype: 'f32' | 'i32';
  readonly elements: number;
  readonly block: Block;
  /** Variables belong to their parameters and are freed with them. */
  readonly isVariable: boolean;

  constructor(device: object, dtype: 'f32' | 'i32', elements: number, block: Block, isVariable: boolean) {
    super(device);
    this.dtype = dtype;
    this.elements = elements;
    this.block = block;
    this.isVariable = isVariable;
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
