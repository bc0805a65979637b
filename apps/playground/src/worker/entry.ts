/** Files of one stored model in the origin private file system: `models/<id>/{model,about.json,vocabulary-<name>}`. */

/** What is known of a model before and after it is complete. */
export interface About {
  readonly name: string;
  readonly url?: string | undefined;
  /** Of the whole file, as the server or the person's file system said. */
  readonly size?: number | undefined;
  /** What the server calls this version of the file: parts of two versions do not go together. */
  readonly tag?: string | undefined;
  /** The SHA-256 that the file should have, from whoever gave the address. */
  readonly expected?: string | undefined;
  /** Of the file as it is here. Only a complete model has one. */
  readonly sha256?: string | undefined;
}

const BYTES = 'model';
const ABOUT = 'about.json';
const VOCABULARY = 'vocabulary-';

async function folder(): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle('models', { create: true });
}

/** Looking makes nothing: that would need room, too. */
async function existingFolder(): Promise<FileSystemDirectoryHandle | undefined> {
  const root = await navigator.storage.getDirectory();
  try {
    return await root.getDirectoryHandle('models');
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'NotFoundError';
}

export class Entry {
  readonly id: string;
  readonly #folder: FileSystemDirectoryHandle;
  about: About;

  constructor(id: string, directory: FileSystemDirectoryHandle, about: About) {
    this.id = id;
    this.#folder = directory;
    this.about = about;
  }

  async note(more: Partial<About>): Promise<void> {
    this.about = { ...this.about, ...more };
    await writeFile(this.#folder, ABOUT, new TextEncoder().encode(JSON.stringify(this.about)));
  }

  /** Exclusive: it must be closed. Only a worker has it. */
  async access(): Promise<FileSystemSyncAccessHandle> {
    const handle = await this.#folder.getFileHandle(BYTES, { create: true });
    return handle.createSyncAccessHandle();
  }

  /** The bytes as a file that is read by ranges. */
  async file(): Promise<File> {
    const handle = await this.#folder.getFileHandle(BYTES, { create: true });
    return handle.getFile();
  }

  async received(): Promise<number> {
    return (await this.file()).size;
  }

  async writeVocabulary(file: File): Promise<void> {
    await writeFile(this.#folder, VOCABULARY + file.name, new Uint8Array(await file.arrayBuffer()));
  }

  async vocabulary(): Promise<File | undefined> {
    for await (const [name, handle] of this.#folder.entries()) {
      if (!name.startsWith(VOCABULARY) || !(handle instanceof FileSystemFileHandle)) continue;
      return new File([await handle.getFile()], name.slice(VOCABULARY.length));
    }
    return undefined;
  }
}

/** All that there are, by name. What cannot be read was never finished, and is left out. */
export async function entries(): Promise<Entry[]> {
  const found: Entry[] = [];
  for await (const [id, handle] of (await existingFolder())?.entries() ?? []) {
    if (!(handle instanceof FileSystemDirectoryHandle)) continue;
    const about = await aboutOf(handle);
    if (about !== undefined) found.push(new Entry(id, handle, about));
  }
  return found.sort((a, b) => a.about.name.localeCompare(b.about.name));
}

export async function entryAt(about: About): Promise<Entry> {
  const id = crypto.randomUUID();
  const entry = new Entry(id, await (await folder()).getDirectoryHandle(id, { create: true }), about);
  await entry.note({});
  return entry;
}

export async function removeEntry(id: string): Promise<void> {
  await (await folder()).removeEntry(id, { recursive: true });
}

async function aboutOf(directory: FileSystemDirectoryHandle): Promise<About | undefined> {
  try {
    const file = await (await directory.getFileHandle(ABOUT)).getFile();
    const about: unknown = JSON.parse(await file.text());
    return isAbout(about) ? about : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || isNotFound(error)) return undefined;
    throw error;
  }
}

function isAbout(value: unknown): value is About {
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string';
}

async function writeFile(directory: FileSystemDirectoryHandle, name: string, bytes: Uint8Array): Promise<void> {
  const access = await (await directory.getFileHandle(name, { create: true })).createSyncAccessHandle();
  try {
    access.truncate(0);
    access.write(bytes);
    access.flush();
  } finally {
    access.close();
  }
}
