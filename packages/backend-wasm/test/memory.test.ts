import { BLOCKS, GraphBuilder, ReceptanceError, type WeightSource } from '@receptance/core';
import { describe, expect, it } from 'vitest';
import { WasmDevice } from '../src/device.ts';
import { kernels } from '../src/kernel-table.ts';
import { type Block, BlockGroup, LinearMemory } from '../src/memory.ts';
import { instantiate } from '../src/module.ts';

const PAGE = 65536;
const MIB = 2 ** 20;

function newMemory(most = 2 ** 32 - PAGE): LinearMemory {
  return new LinearMemory(new WebAssembly.Memory({ initial: 1 }), { base: 1000, most, memory64: false });
}

describe('LinearMemory', () => {
  it('gives blocks that do not overlap, and takes them back', () => {
    const memory = newMemory();
    const blocks = new Set<Block>();
    let seed = 1;
    const next = (below: number): number => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed % below;
    };
    for (let round = 0; round < 2000; round++) {
      const victim = [...blocks][next(Math.max(blocks.size, 1))];
      if (victim !== undefined && next(2) === 0) {
        blocks.delete(victim);
        memory.free(victim);
      } else blocks.add(memory.allocate(next(5000)));
    }
    const ordered = [...blocks].sort((a, b) => a.address - b.address);
    ordered.forEach((block, i) => {
      const before = ordered[i - 1];
      expect(block.address).toBeGreaterThanOrEqual(before === undefined ? 1000 : before.address + before.bytes);
      expect(block.address % 64).toBe(0);
    });
    for (const block of blocks) memory.free(block);
    const { byteLength } = memory.memory.buffer;
    memory.allocate(byteLength - 1024 - 64);
    expect(memory.memory.buffer.byteLength, 'all of it is one free block again').toBe(byteLength);
  });

  it('keeps what was written when it grows', () => {
    const memory = newMemory();
    const block = memory.allocate(16);
    memory.bytes(block.address, 4).set([1, 2, 3, 4]);
    memory.allocate(40 * PAGE);
    expect([...memory.bytes(block.address, 4)]).toEqual([1, 2, 3, 4]);
  });

  it('zeroes what others left', () => {
    const memory = newMemory();
    const block = memory.allocate(16);
    memory.bytes(block.address, 4).fill(7);
    memory.free(block);
    expect([...memory.bytes(memory.allocateZeroed(16).address, 4)]).toEqual([0, 0, 0, 0]);
  });

  it('is left as it was by a request that fails', () => {
    const memory = newMemory(20 * PAGE);
    const group = new BlockGroup(memory);
    group.allocate(5 * PAGE);
    group.allocate(10 * PAGE);
    expect(() => group.allocate(10 * PAGE)).toThrow(ReceptanceError);
    group.allocate(4 * PAGE);
    expect(group.bytes).toBe(19 * PAGE);
    group.free();
    expect(memory.allocate(19 * PAGE).bytes).toBe(19 * PAGE);
  });

  it('says how much is needed and what to do', () => {
    try {
      newMemory().allocate(5e9);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'OUT_OF_MEMORY', hint: expect.stringContaining('smaller limits') });
    }
  });

  it('notices what is written next to a guarded block, on either side', () => {
    const guarded = { base: 1000, most: 2 ** 30, memory64: false, guarded: true };
    const memory = new LinearMemory(new WebAssembly.Memory({ initial: 1 }), guarded);
    const blocks = [0, 1, 63, 64, 1000].map((bytes) => memory.allocate(bytes));
    for (const { address, bytes } of blocks) memory.bytes(address, bytes).fill(0);
    expect(memory.damaged()).toEqual([]);
    for (const block of blocks) {
      for (const at of [block.address - 1, block.address + block.bytes]) {
        memory.bytes(at, 1).fill(0);
        expect(memory.damaged()).toEqual([block]);
        memory.bytes(at, 1).fill(0xff);
      }
    }
    for (const block of blocks) memory.free(block);
    expect(memory.unusedBytes).toBe(memory.memory.buffer.byteLength - 1024);
  });
});

describe('loading', () => {
  const SIZE = 2048;
  type Stored = 'f32' | 'f16' | 'q8_0' | 'q4_0';

  /** Square matrices of one type, whose bytes are made when they are asked for, and the memory that they were read into. */
  function matrices(dtype: Stored, count: number): WeightSource & { readonly rooms: Set<ArrayBufferLike> } {
    const { bytes, elements } = BLOCKS[dtype];
    const tensor = { dtype, shape: [SIZE, SIZE], bytes: (SIZE * SIZE * bytes) / elements } as const;
    const rooms = new Set<ArrayBufferLike>();
    return {
      rooms,
      tensors: new Map(Array.from({ length: count }, (_, i) => [`w${i}`, tensor])),
      async read(_, { start, end } = { start: 0, end: tensor.bytes }, _signal, into) {
        const room = into ?? new Uint8Array(end - start);
        rooms.add(room.buffer);
        return room.subarray(0, end - start).fill(0x11);
      },
    };
  }

  describe.each(['relaxed', 'relaxedThreads'] as const)('with %s', (variant) => {
    it.each([
      ['f32', 6],
      ['f16', 12],
      ['q8_0', 24],
      ['q4_0', 48],
    ] as const)('takes the weights and at most 64 MiB: %s', async (dtype, count) => {
      const b = new GraphBuilder('products');
      const x = b.input('x', 'f32', ['N', SIZE]);
      for (let i = 0; i < count; i++) b.output(`y${i}`, b.linear(x, b.parameter(`w${i}`, dtype, [SIZE, SIZE])));
      const instance = await instantiate(variant);
      const memory = new LinearMemory(instance.memory, { base: instance.crate.base, most: 2 ** 30, memory64: false });
      const device = new WasmDevice(kernels, instance, memory, undefined);
      const source = matrices(dtype, count);
      const { bytes } = await device.loadParameters(source, [b.build()]);
      expect(bytes).toBeGreaterThan(95 * MIB);
      // Memory never shrinks: what it has now is the most that it had.
      const rooms = new Set<ArrayBufferLike>([...source.rooms, instance.memory.buffer]);
      const all = [...rooms].reduce((sum, { byteLength }) => sum + byteLength, 0);
      expect(all - bytes).toBeLessThan(64 * MIB);
      await device.close();
    });
  });
});
