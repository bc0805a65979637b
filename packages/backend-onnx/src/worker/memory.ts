import type { Numbers, PoolRows } from './messages.ts';

interface Places {
  /** Where rows of a pool begin. */
  readonly places: readonly number[];
  /** Elements of each. */
  readonly size: number;
}

/** Rows whose newest numbers lie on the GPU. */
interface Kept<Tensor> extends Places {
  readonly tensor: Tensor;
  readonly reader: number;
}

/** Brings a tensor from the GPU, by a session that does nothing but this. */
export type Download<Tensor> = (reader: number, tensor: Tensor) => Promise<Numbers>;

/**
 * The buffers of the thread. Rows of a pool that a run has made on the GPU stay there, for the next run of the same rows, until
 * anything else of the pool is asked for.
 */
export class Memory<Tensor extends { dispose(): void }> {
  readonly #buffers = new Map<number, Numbers>();
  readonly #kept = new Map<number, Kept<Tensor>>();
  readonly #download: Download<Tensor>;

  constructor(download: Download<Tensor>) {
    this.#download = download;
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

  /** The newest numbers of a buffer, brought from the GPU where they lie there. */
  async settled(id: number): Promise<Numbers> {
    const data = this.get(id);
    const kept = this.#kept.get(id);
    if (kept === undefined) return data;
    scatter(data, kept, await this.#download(kept.reader, kept.tensor));
    this.#forget(id);
    return data;
  }

  /** Before a session goes, whose memory it may be. */
  async settleAll(): Promise<void> {
    for (const id of [...this.#kept.keys()]) await this.settled(id);
  }

  /** The rows as they lie on the GPU, where a run has left just these. */
  kept(rows: PoolRows): Tensor | undefined {
    const kept = this.#kept.get(rows.pool);
    return String(kept?.places) === String(this.#places(rows)) ? kept?.tensor : undefined;
  }

  /** The rows one after the other; one row alone is looked at where it lies. */
  async rows(rows: PoolRows): Promise<Numbers> {
    const places = this.#places(rows);
    const pool = await this.settled(rows.pool);
    const [only] = places;
    if (places.length === 1 && only !== undefined) return pool.subarray(only, only + rows.size);
    const gathered = new (pool instanceof Int32Array ? Int32Array : Float32Array)(places.length * rows.size);
    places.forEach((place, s) => {
      gathered.set(pool.subarray(place, place + rows.size), s * rows.size);
    });
    return gathered;
  }

  async writeRows(rows: PoolRows, data: Numbers): Promise<void> {
    scatter(await this.settled(rows.pool), { places: this.#places(rows), size: rows.size }, data);
  }

  /** Rows that a run has made on the GPU. */
  async keepRows(rows: PoolRows, tensor: Tensor, reader: number): Promise<void> {
    const places = this.#places(rows);
    if (String(this.#kept.get(rows.pool)?.places) === String(places)) this.#forget(rows.pool);
    else await this.settled(rows.pool);
    this.#kept.set(rows.pool, { places, size: rows.size, tensor, reader });
    // Of a row that is there twice, the last is the one that stays.
    if (new Set(places).size < places.length) await this.settled(rows.pool);
  }

  clear(): void {
    for (const id of [...this.#kept.keys()]) this.#forget(id);
    this.#buffers.clear();
  }

  #forget(id: number): void {
    this.#kept.get(id)?.tensor.dispose();
    this.#kept.delete(id);
  }

  /** Where the rows begin; slots are data, and kept within the pool. */
  #places({ slots, count, size, poolRows }: PoolRows): number[] {
    const numbers = this.get(slots).subarray(0, count);
    return Array.from(numbers, (slot) => Math.min(Math.max(slot, 0), poolRows - 1) * size);
  }
}

function scatter(pool: Numbers, { places, size }: Places, data: Numbers): void {
  places.forEach((place, s) => {
    pool.set(data.subarray(s * size, (s + 1) * size), place);
  });
}
