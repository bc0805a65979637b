import { describe, expect, it } from 'vitest';
import { Memory } from '../src/worker/memory.ts';
import type { PoolRows } from '../src/worker/messages.ts';

const [POOL, SLOTS] = [1, 2];

/** What a run has left on a GPU. */
interface Tensor {
  readonly data: Float32Array;
  dispose(): void;
}

/** A pool of four rows of two, and slots that may be changed. */
function pool(): {
  readonly memory: Memory<Tensor>;
  readonly rows: (slots: number[]) => PoolRows;
  readonly log: string[];
} {
  const log: string[] = [];
  const memory = new Memory<Tensor>(async (_, { data }) => {
    log.push('download');
    return data;
  });
  memory.add(POOL, Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7));
  const rows = (slots: number[]): PoolRows => {
    memory.add(SLOTS, Int32Array.from(slots));
    return { pool: POOL, slots: SLOTS, count: slots.length, size: 2, poolRows: 4 };
  };
  return { memory, rows, log };
}

function onGpu(log: string[], ...data: number[]): Tensor {
  return { data: Float32Array.from(data), dispose: () => void log.push(`dispose ${data.join(' ')}`) };
}

describe('memory of the thread', () => {
  it('gives rows, and takes them', async () => {
    const { memory, rows } = pool();
    expect(await memory.rows(rows([2, 0]))).toEqual(Float32Array.of(4, 5, 0, 1));
    await memory.writeRows(rows([3, 9]), Float32Array.of(8, 8, 9, 9));
    expect([...(await memory.settled(POOL))]).toEqual([0, 1, 2, 3, 4, 5, 9, 9]);
  });

  it('leaves rows on the GPU from run to run, and brings them when they are asked for', async () => {
    const { memory, rows, log } = pool();
    const [first, second] = [onGpu(log, 10, 11, 12, 13), onGpu(log, 20, 21, 22, 23)];
    await memory.keepRows(rows([1, 3]), first, 0);
    expect(memory.kept(rows([1, 3]))).toBe(first);
    await memory.keepRows(rows([1, 3]), second, 0);
    expect(memory.kept(rows([1, 3]))).toBe(second);
    expect(log).toEqual(['dispose 10 11 12 13']);
    expect([...(await memory.settled(POOL))]).toEqual([0, 1, 20, 21, 4, 5, 22, 23]);
    expect(log.slice(1)).toEqual(['download', 'dispose 20 21 22 23']);
    expect(await memory.rows(rows([1, 3]))).toEqual(Float32Array.of(20, 21, 22, 23));
  });

  it('brings them before other rows are read, kept or written', async () => {
    for (const other of ['rows', 'keepRows', 'writeRows'] as const) {
      const { memory, rows, log } = pool();
      await memory.keepRows(rows([1, 0]), onGpu(log, 10, 11, 12, 13), 0);
      const next = rows([0, 2]);
      if (other === 'rows') expect(await memory.rows(next)).toEqual(Float32Array.of(12, 13, 4, 5));
      else if (other === 'keepRows') await memory.keepRows(next, onGpu(log, 20, 21, 22, 23), 0);
      else await memory.writeRows(next, Float32Array.of(20, 21, 22, 23));
      const wanted = other === 'rows' ? [12, 13, 10, 11, 4, 5, 6, 7] : [20, 21, 10, 11, 22, 23, 6, 7];
      expect([...(await memory.settled(POOL))]).toEqual(wanted);
    }
  });

  it('of a row that is there twice, takes the last', async () => {
    const { memory, rows, log } = pool();
    await memory.keepRows(rows([1, 1]), onGpu(log, 10, 11, 12, 13), 0);
    expect(await memory.rows(rows([1, 1]))).toEqual(Float32Array.of(12, 13, 12, 13));
  });

  it('lets go of what nobody will ask for', async () => {
    const { memory, rows, log } = pool();
    await memory.keepRows(rows([1]), onGpu(log, 10, 11), 0);
    memory.remove(POOL);
    expect(log).toEqual(['dispose 10 11']);
    expect(() => memory.get(POOL)).toThrow('no buffer 1');
  });
});
