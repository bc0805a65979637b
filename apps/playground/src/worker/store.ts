import { type Progress, ReceptanceError } from '@receptance/core';
import { text } from '../text.ts';
import { type Entry, entries, entryAt, removeEntry } from './entry.ts';
import { fetchInto } from './fetch-into.ts';
import type { Context } from './handlers.ts';
import type { DownloadRequest, StorageReport, StoredModel } from './protocol.ts';
import { copyInto, explainingQuota, sha256Of } from './stored-bytes.ts';

export interface StoredFile {
  readonly name: string;
  readonly file: File;
  readonly vocabulary: File | undefined;
}

/**
 * Models kept in this browser (its origin private file system): each is a folder with the bytes, what is known of
 * them, and a vocabulary where it was given one. Bytes go from the network to the disk piece by piece, and are later
 * read by ranges: a model is never whole in memory before it is on the device.
 */
export class ModelStore {
  async report(): Promise<StorageReport> {
    const found = await entries();
    const models = await Promise.all(found.map((entry) => describe(entry)));
    const { usage = 0, quota = 0 } = await navigator.storage.estimate();
    return { models, usage, quota };
  }

  /** Downloads, or goes on with what is there already. Aborting pauses: what has come stays. */
  async download(request: DownloadRequest, context: Context<Progress>): Promise<StoredModel> {
    return explainingQuota(() => this.#download(request, context));
  }

  async #download({ url, sha256 }: DownloadRequest, context: Context<Progress>): Promise<StoredModel> {
    const address = addressOf(url);
    const known = (await entries()).find(({ about }) => about.url === address.href);
    const name = decodeURIComponent(address.pathname.split('/').at(-1) || address.host);
    const entry = known ?? (await entryAt({ name, url: address.href }));
    const expected = (sha256 || address.hash.match(/sha256=([0-9a-f]{64})/i)?.[1] || '').toLowerCase();
    if (expected !== '') await entry.note({ expected });
    await fetchInto(entry, address, context);
    return this.#finish(entry, context);
  }

  /** A copy of a file of the person's own. */
  keep(file: File, vocabulary: File | undefined, context: Context<Progress>): Promise<StoredModel> {
    return explainingQuota(() => this.#keep(file, vocabulary, context));
  }

  async #keep(file: File, vocabulary: File | undefined, context: Context<Progress>): Promise<StoredModel> {
    const entry = await entryAt({ name: file.name });
    try {
      await copyInto(entry, file, context);
      if (vocabulary !== undefined) await entry.writeVocabulary(vocabulary);
      await entry.note({ size: file.size });
      return await this.#finish(entry, context);
    } catch (error) {
      await removeEntry(entry.id);
      throw error;
    }
  }

  async verify(id: string, { emit, signal }: Context<Progress>): Promise<{ readonly intact: boolean }> {
    const entry = await this.#entry(id);
    const sum = await sha256Of(await entry.file(), { emit, signal });
    return { intact: sum === entry.about.sha256 };
  }

  async remove(id: string): Promise<undefined> {
    await removeEntry(id);
    return undefined;
  }

  /** @throws ReceptanceError `NOT_STORED` */
  async open(id: string): Promise<StoredFile> {
    const entry = await this.#entry(id);
    if (entry.about.sha256 === undefined) throw notStored(text.errors.incomplete(entry.about.name));
    return { name: entry.about.name, file: await entry.file(), vocabulary: await entry.vocabulary() };
  }

  /** Hashes the whole file, and holds it against the hash that somebody vouched for. */
  async #finish(entry: Entry, context: Context<Progress>): Promise<StoredModel> {
    const sha256 = await sha256Of(await entry.file(), context);
    const { expected } = entry.about;
    if (expected !== undefined && expected !== sha256) {
      await removeEntry(entry.id);
      throw new ReceptanceError('DAMAGED_DOWNLOAD', text.errors.damaged(entry.about.name, sha256, expected), {
        hint: text.errors.damagedHint,
      });
    }
    await entry.note({ sha256 });
    return describe(entry);
  }

  async #entry(id: string): Promise<Entry> {
    const found = (await entries()).find((entry) => entry.id === id);
    if (found === undefined) throw notStored(text.errors.notStored);
    return found;
  }
}

async function describe(entry: Entry): Promise<StoredModel> {
  const { name, url, size = 0, sha256, expected } = entry.about;
  const received = await entry.received();
  return {
    ...{ id: entry.id, name, url, size: Math.max(size, received), received, sha256 },
    complete: sha256 !== undefined,
    vouched: expected !== undefined,
    vocabulary: (await entry.vocabulary())?.name,
  };
}

function addressOf(url: string): URL {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  if (address?.protocol === 'https:' || address?.protocol === 'http:') return address;
  throw new ReceptanceError('BAD_ADDRESS', text.errors.badAddress(url), { hint: text.errors.badAddressHint });
}

function notStored(message: string): ReceptanceError {
  return new ReceptanceError('NOT_STORED', message, { hint: text.errors.notStoredHint });
}
