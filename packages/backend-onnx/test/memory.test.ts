import { describe, expect, it } from 'vitest';
import { Memory } from '../src/worker/memory.ts';
import type { PoolRows } from '../src/worker/messages.ts';

const [POOL, SLOTS] = [1, 2];

/** What a run has made, on a GPU or not. */
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
  const memory = new Memory<Tensor>(async ({ data }, reader) => {
    if (reader !== undefined) log.push('download');
    return data;
  });
  memory.add(POOL, Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7));
  const rows = (slots: number[]): PoolRows => {
    memory.add(SLOTS, Int32Array.from(slots));
    return { pool: POOL, slots: SLOTS, count: slots.length, size: 2, poolRows: 4 };
  };
  return { memory, rows, log };
}

function tensorOf(log: string[], ...data: number[]): Tensor {
  return { data: Float32Array.from(data), dispose: () => void log.push(`dispose ${data.join(' ')}`) };
}

describe('memory of the thread', () => {
  it('gives rows, and takes them', async () => {
    const { memory, rows } = pool();
    expect(await memory.rows(rows([2, 0]))).toEqual(Float32Array.of(4, 5, 0, 1));
    await memory.keepRows(rows([3, 9]), tensorOf([], 8, 8, 9, 9));
    expect([...(await memory.settled(POOL))]).toEqual([0, 1, 2, 3, 4, 5, 9, 9]);
  });

  it('leaves rows on the GPU from run to run, and brings them when they are asked for', async () => {
    const { memory, rows, log } = pool();
    const [first, second] = [tensorOf(log, 10, 11, 12, 13), tensorOf(log, 20, 21, 22, 23)];
    await memory.keepRows(rows([1, 3]), first, 0);
    expect(memory.kept(rows([1, 3]))).toBe(first);
    await memory.keepRows(rows([1, 3]), second, 0);
    expect(memory.kept(rows([1, 3]))).toBe(second);
    expect(log).toEqual(['dispose 10 11 12 13']);
    expect([...(await memory.settled(POOL))]).toEqual([0, 1, 20, 21, 4, 5, 22, 23]);
    expect(log.slice(1)).toEqual(['download', 'dispose 20 21 22 23']);
    expect(await memory.rows(rows([1, 3]))).toEqual(Float32Array.of(20, 21, 22, 23));
  });

  it('brings them before other rows are read, and keeps what another run makes beside them', async () => {
    for (const other of ['rows', 'keepRows'] as const) {
      const { memory, rows, log } = pool();
      await memory.keepRows(rows([1, 0]), tensorOf(log, 10, 11, 12, 13), 0);
      const next = rows([0, 2]);
      expect(memory.kept(next)).toBeUndefined();
      if (other === 'rows') expect(await memory.rows(next)).toEqual(Float32Array.of(12, 13, 4, 5));
      else await memory.keepRows(next, tensorOf(log, 20, 21, 22, 23), 0);
      const wanted = other === 'rows' ? [12, 13, 10, 11, 4, 5, 6, 7] : [20, 21, 10, 11, 22, 23, 6, 7];
      expect([...(await memory.settled(POOL))]).toEqual(wanted);
      expect(memory.kept(next)).toBeUndefined();
    }
  });

  it('gives no tensor for its rows in another order, or for some of them', async () => {
    const { memory, rows } = pool();
    await memory.keepRows(rows([1, 0]), tensorOf([], 10, 11, 12, 13));
    for (const slots of [[0, 1], [1], [1, 0, 2], [1, 1]]) expect(memory.kept(rows(slots))).toBeUndefined();
    expect(memory.kept(rows([1, 0]))).toBeDefined();
  });

  it('of a row that is there twice, takes the last', async () => {
    const { memory, rows, log } = pool();
    await memory.keepRows(rows([1, 1]), tensorOf(log, 10, 11, 12, 13), 0);
    expect(memory.kept(rows([1, 1]))).toBeUndefined();
    expect(await memory.rows(rows([1, 1]))).toEqual(Float32Array.of(12, 13, 12, 13));
  });

  it('copies rows by keeping them once more, until the last is replaced', async () => {
    const { memory, rows, log } = pool();
    const [first, second] = [tensorOf(log, 10, 11), tensorOf(log, 20, 21)];
    await memory.keepRows(rows([0]), first, 0);
    await memory.copy(POOL, 0, POOL, 4, 2);
    await memory.keepRows(rows([0]), second, 0);
    expect([memory.kept(rows([0])), memory.kept(rows([2]))]).toEqual([second, first]);
    expect([memory.isHeld(first), memory.isHeld(second)]).toEqual([true, true]);
    expect(log).toEqual([]);
    await memory.copy(POOL, 0, POOL, 4, 2);
    expect(log).toEqual(['dispose 10 11']);
    expect([memory.isHeld(first), memory.isHeld(second)]).toEqual([false, true]);
    // A row that lies in the pool replaces one that does not; the other way round too.
    await memory.copy(POOL, 2, POOL, 4, 2);
    await memory.copy(POOL, 0, POOL, 6, 2);
    expect([...(await memory.settled(POOL))]).toEqual([20, 21, 2, 3, 2, 3, 20, 21]);
  });

  it('copies between pools, and what are not whole rows', async () => {
    const [OTHER, PLAIN] = [7, 8];
    const { memory, rows } = pool();
    memory.add(OTHER, new Float32Array(4));
    memory.add(PLAIN, new Float32Array(3));
    await memory.keepRows({ ...rows([0]), pool: OTHER, poolRows: 2 }, tensorOf([], 8, 9));
    await memory.keepRows(rows([1]), tensorOf([], 10, 11));
    await memory.copy(POOL, 2, OTHER, 2, 2);
    await memory.copy(POOL, 0, OTHER, 0, 2);
    await memory.copy(OTHER, 2, PLAIN, 1, 2);
    await memory.copy(POOL, 1, POOL, 5, 2);
    expect([...(await memory.settled(OTHER))]).toEqual([0, 1, 10, 11]);
    expect([...(await memory.settled(PLAIN))]).toEqual([0, 10, 11]);
    expect([...(await memory.settled(POOL))]).toEqual([0, 1, 10, 11, 4, 1, 10, 7]);
  });

  it('brings rows to what is no pool, which may say which rows are meant', async () => {
    const { memory, rows } = pool();
    await memory.keepRows(rows([3]), tensorOf([], 1, 0));
    const asked = rows([0, 0]);
    await memory.copy(POOL, 6, SLOTS, 0, 2);
    expect([...(await memory.rows(asked))]).toEqual([2, 3, 0, 1]);
  });

  it('lets go of what nobody will ask for', async () => {
    const { memory, rows, log } = pool();
    await memory.keepRows(rows([1]), tensorOf(log, 10, 11), 0);
    memory.remove(POOL);
    expect(log).toEqual(['dispose 10 11']);
    expect(() => memory.get(POOL)).toThrow('no buffer 1');
  });
});
