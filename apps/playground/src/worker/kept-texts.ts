import { ReceptanceError } from '@receptance/core';
import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB } from 'idb';
import type { SavedState } from 'receptance';
import { text } from '../text.ts';
import { type KeptSize, tooMuch } from './kept-sizes.ts';
import type { KeptStep } from './protocol.ts';

/** What another version kept is thrown away. */
const VERSION = 1;

/** Apart from each other, so that texts are listed without their states, and sizes are summed without either. */
interface Schema extends DBSchema {
  steps: { key: string; value: KeptStep & { readonly fingerprint: string }; indexes: { fingerprint: string } };
  states: { key: string; value: SavedState };
  sizes: { key: string; value: KeptSize };
}

const STORES = ['steps', 'states', 'sizes'] as const;
type Writing = IDBPTransaction<Schema, typeof STORES, 'readwrite'>;

/** Steps of texts with their states, in this browser's database: a page that is opened again goes on with them. */
export class KeptTexts {
  #opened: Promise<IDBPDatabase<Schema>> | undefined;

  /**
   * Keeps a step, and lets go of what is oldest where there is too much.
   * @throws ReceptanceError `NOT_KEPT`, as all here
   */
  keep(step: KeptStep, state: SavedState): Promise<void> {
    const { id, textId, at } = step.node;
    const bytes = { textBytes: JSON.stringify(step).length, stateBytes: bytesOf(state) };
    return this.#write(async (transaction) => {
      const steps = transaction.objectStore('steps');
      const states = transaction.objectStore('states');
      const sizes = transaction.objectStore('sizes');
      await steps.put({ ...step, fingerprint: state.fingerprint }, id);
      await states.put(state, id);
      await sizes.put({ id, textId, at, ...bytes }, id);
      const { gone, stateless } = tooMuch(await sizes.getAll(), textId);
      for (const old of gone) for (const store of [steps, states, sizes]) await store.delete(old);
      for (const old of stateless) {
        await states.delete(old.id);
        await sizes.put({ ...old, stateBytes: 0 }, old.id);
      }
    });
  }

  /** Steps of texts that the model with this fingerprint wrote, in the order they were made. */
  async of(fingerprint: string): Promise<readonly KeptStep[]> {
    const found = await this.#in((database) => database.getAllFromIndex('steps', 'fingerprint', fingerprint));
    return found.map(({ kind, node }) => ({ kind, node })).sort((a, b) => a.node.at - b.node.at);
  }

  state(id: string): Promise<SavedState | undefined> {
    return this.#in((database) => database.get('states', id));
  }

  remove(ids: readonly string[] | 'everything'): Promise<void> {
    return this.#write(async (transaction) => {
      for (const store of STORES.map((name) => transaction.objectStore(name))) {
        if (ids === 'everything') await store.clear();
        else for (const id of ids) await store.delete(id);
      }
    });
  }

  #write(work: (transaction: Writing) => Promise<void>): Promise<void> {
    return this.#in(async (database) => {
      const transaction = database.transaction(STORES, 'readwrite');
      await Promise.all([work(transaction), transaction.done]);
    });
  }

  async #in<T>(work: (database: IDBPDatabase<Schema>) => Promise<T>): Promise<T> {
    try {
      this.#opened ??= open();
      return await work(await this.#opened);
    } catch (error) {
      this.#opened = undefined;
      const why = error instanceof Error ? error.message : String(error);
      throw new ReceptanceError('NOT_KEPT', text.errors.notKept(why), { hint: text.errors.notKeptHint, cause: error });
    }
  }
}

function open(): Promise<IDBPDatabase<Schema>> {
  return openDB<Schema>('receptance.texts', VERSION, {
    upgrade(database) {
      for (const name of [...database.objectStoreNames]) database.deleteObjectStore(name);
      database.createObjectStore('steps').createIndex('fingerprint', 'fingerprint');
      database.createObjectStore('states');
      database.createObjectStore('sizes');
    },
    // A newer page in another tab comes first.
    blocking: (_, __, { target }) => target instanceof IDBDatabase && target.close(),
  });
}

export function bytesOf({ tensors }: SavedState): number {
  return Object.values(tensors).reduce((sum, { data }) => sum + data.byteLength, 0);
}
