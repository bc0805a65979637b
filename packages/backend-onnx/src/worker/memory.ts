import type { Numbers, PoolRows } from './messages.ts';

/** A tensor that a run has made, in which rows of pools are kept. */
interface Made<Tensor> {
  readonly tensor: Tensor;
  readonly rows: number;
  /** The session that brings it from the GPU, where it lies there. */
  readonly reader: number | undefined;
  /** How many rows of pools are kept in it. */
  uses: number;
}

/** Where the newest numbers of a row are: not in its pool. */
interface Kept<Tensor> {
  readonly made: Made<Tensor>;
  readonly at: number;
}

interface Pool<Tensor> {
  /** Elements of a row. */
  readonly size: number;
  readonly kept: Map<number, Kept<Tensor>>;
}

/** The numbers of a tensor, brought from the GPU by a session that does nothing but this where there is a `reader`. */
export type Bring<Tensor> = (tensor: Tensor, reader: number | undefined) => Numbers | Promise<Numbers>;

/**
 * The buffers of the thread. Rows of a pool that a run has made stay in the tensor that it made, which is what the next run of the same
 * rows is given; a copy of whole rows is kept in the same tensor. They are brought to the pool when it is asked for in any other way.
 */
export class Memory<Tensor extends { dispose(): void }> {
  readonly #buffers = new Map<number, Numbers>();
  readonly #pools = new Map<number, Pool<Tensor>>();
  readonly #held = new Set<Tensor>();
  readonly #bring: Bring<Tensor>;

  constructor(bring: Bring<Tensor>) {
    this.#bring = bring;
  }

  add(id: number, data: Numbers): void {
    this.#buffers.set(id, data);
  }

  remove(id: number): void {
    this.#forget(id);
    this.#buffers.delete(id);
  }

  /** Numbers that are no rows of a pool. */
  get(id: number): Numbers {
    const found = this.#buffers.get(id);
    if (found === undefined) throw new Error(`no buffer ${id}`);
    return found;
  }

  /** The newest numbers of a buffer, wherever they are. */
  async settled(id: number): Promise<Numbers> {
    const data = this.get(id);
    const pool = this.#pools.get(id);
    if (pool === undefined) return data;
    const brought = new Map<Made<Tensor>, Numbers>();
    for (const [row, { made, at }] of pool.kept) {
      const numbers = brought.get(made) ?? (await this.#bring(made.tensor, made.reader));
      brought.set(made, numbers);
      data.set(numbers.subarray(at * pool.size, (at + 1) * pool.size), row * pool.size);
    }
    this.#forget(id);
    return data;
  }

  /** Before a session goes, whose memory it may be. */
  async settleAll(): Promise<void> {
    for (const id of [...this.#pools.keys()]) await this.settled(id);
  }

  /** Whether rows are kept in a tensor, so that it may not be written to. */
  isHeld(tensor: Tensor): boolean {
    return this.#held.has(tensor);
  }

  /** The tensor of just these rows, one after the other, where a run has made it. */
  kept(rows: PoolRows): Tensor | undefined {
    const pool = this.#pools.get(rows.pool);
    if (pool === undefined) return undefined;
    const chosen = this.#chosen(rows);
    const made = pool.kept.get(chosen[0] ?? -1)?.made;
    if (made?.rows !== chosen.length) return undefined;
    const isThere = chosen.every((row, s) => {
      const kept = pool.kept.get(row);
      return kept?.made === made && kept.at === s;
    });
    return isThere ? made.tensor : undefined;
  }

  /** The rows one after the other; one row alone is looked at where it lies. */
  async rows(rows: PoolRows): Promise<Numbers> {
    const { size } = rows;
    const chosen = this.#chosen(rows);
    const pool = await this.settled(rows.pool);
    const [only] = chosen;
    if (chosen.length === 1 && only !== undefined) return pool.subarray(only * size, (only + 1) * size);
    const gathered = new (pool instanceof Int32Array ? Int32Array : Float32Array)(chosen.length * size);
    chosen.forEach((row, s) => {
      gathered.set(pool.subarray(row * size, (row + 1) * size), s * size);
    });
    return gathered;
  }

  /** Rows that a run has made. Of one that is there twice, the last counts. */
  async keepRows(rows: PoolRows, tensor: Tensor, reader?: number): Promise<void> {
    const { pool: id, size, count } = rows;
    if (count === 0) return;
    if (this.#pools.get(id)?.size !== size) await this.settled(id);
    const made = { tensor, rows: count, reader, uses: 0 };
    this.#chosen(rows).forEach((row, at) => {
      this.#keep(id, size, row, { made, at });
    });
  }

  /** Whole rows of a pool stay where they are. Anything else is brought, since what is no pool is read as it is. */
  async copy(from: number, fromOffset: number, to: number, toOffset: number, elements: number): Promise<void> {
    const [source, target] = [this.#pools.get(from), this.#pools.get(to)];
    const size = target?.size ?? 0;
    const isOfRows = [fromOffset, toOffset, elements].every((place) => place % size === 0);
    if (target === undefined || !isOfRows || (source?.size ?? size) !== size) {
      const numbers = await this.settled(from);
      (await this.settled(to)).set(numbers.subarray(fromOffset, fromOffset + elements), toOffset);
      return;
    }
    for (let done = 0; done < elements; done += size) {
      const [start, row] = [fromOffset + done, (toOffset + done) / size];
      const kept = source?.kept.get(start / size);
      if (kept !== undefined) {
        this.#keep(to, size, row, kept);
      } else {
        this.#drop(target, row);
        this.get(to).set(this.get(from).subarray(start, start + size), row * size);
      }
    }
  }

  clear(): void {
    for (const id of [...this.#pools.keys()]) this.#forget(id);
    this.#buffers.clear();
  }

  #keep(id: number, size: number, row: number, kept: Kept<Tensor>): void {
    const pool = this.#pools.get(id) ?? { size, kept: new Map<number, Kept<Tensor>>() };
    this.#pools.set(id, pool);
    // Counted first: it may be the one that is dropped.
    kept.made.uses++;
    this.#held.add(kept.made.tensor);
    this.#drop(pool, row);
    pool.kept.set(row, kept);
  }

  #drop(pool: Pool<Tensor> | undefined, row: number): void {
    const kept = pool?.kept.get(row);
    if (kept === undefined) return;
    pool?.kept.delete(row);
    const { made } = kept;
    made.uses--;
    if (made.uses > 0) return;
    this.#held.delete(made.tensor);
    // What is not on a GPU is used again.
    if (made.reader !== undefined) made.tensor.dispose();
  }

  #forget(id: number): void {
    const pool = this.#pools.get(id);
    for (const row of [...(pool?.kept.keys() ?? [])]) this.#drop(pool, row);
    this.#pools.delete(id);
  }

  /** Slots are data, and kept within the pool. */
  #chosen({ slots, count, poolRows }: PoolRows): number[] {
    const numbers = this.get(slots).subarray(0, count);
    return Array.from(numbers, (slot) => Math.min(Math.max(slot, 0), poolRows - 1));
  }
}
