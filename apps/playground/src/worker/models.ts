import { type ByteSource, blobSource, bytesSource } from '@receptance/checkpoint';
import { type Device, type Progress, ReceptanceError } from '@receptance/core';
import { storiesModel } from '@receptance/model-stories';
import type { Tokenizer } from '@receptance/tokenizer';
import { load, type Model } from 'receptance';
import { text } from '../text.ts';
import { chooseBackend } from './choose.ts';
import type { BackendChoice, BackendName, ModelRef, ModelSummary, OpenRequest } from './protocol.ts';
import type { ModelStore } from './store.ts';
import { backendOf, forgetVerdict, verdictOn } from './verdicts.ts';
import { readTokenizer } from './vocabulary.ts';

/** Little beside what a page takes anyway. */
const AT_ONCE_BYTES = 16 << 20;

/** Texts that may be alive on the device at a time: the one that is written, and one to compare. */
const SEQUENCES = 2;

export interface OpenModel {
  readonly model: Model;
  readonly summary: ModelSummary;
  readonly request: OpenRequest;
}

interface Source {
  readonly name: string;
  readonly blob: Blob;
  readonly tokenizer: Tokenizer | undefined;
}

interface OpenContext {
  readonly emit: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

/** The model that is open. There is one at a time: opening another closes it. */
export class Models {
  readonly #store: ModelStore;
  #open: OpenModel | undefined;
  /** Counts models, so that who holds a session knows when it is gone. */
  generation = 0;

  constructor(store: ModelStore) {
    this.#store = store;
  }

  /** @throws ReceptanceError `NO_MODEL` */
  get current(): OpenModel {
    if (this.#open !== undefined) return this.#open;
    throw new ReceptanceError('NO_MODEL', text.errors.noModel, { hint: text.errors.noModelHint });
  }

  async open(request: OpenRequest, context: OpenContext): Promise<ModelSummary> {
    const began = performance.now();
    // The backend's code comes while the model does.
    backendOf(request.backend === 'auto' ? 'wasm' : request.backend).catch(() => {});
    const source = await this.sourceOf(request.model, context);
    const choice = await choiceOf(request, source.blob.size);
    await this.#close();
    const model = await load(await readable(source, context.signal), {
      backend: await backendOf(choice.backend, choice.threads),
      ...(source.tokenizer && { tokenizer: source.tokenizer }),
      ...(request.weights && { weights: request.weights }),
      maxSequences: SEQUENCES,
      signal: context.signal,
      onProgress: context.emit,
    });
    const summary = summaryOf(model, source, choice, performance.now() - began);
    this.#open = { model, summary, request };
    return summary;
  }

  /** After the loss of a device: the same model on WASM. */
  async reopenOnWasm(why: string): Promise<ModelSummary> {
    const { request, summary } = this.current;
    forgetVerdict(summary.choice.backend);
    const emit = (): void => {};
    await this.open({ ...request, backend: 'wasm' }, { emit, signal: new AbortController().signal });
    const { model } = this.current;
    const choice: BackendChoice = { backend: 'wasm', why };
    this.#open = { model, request, summary: { ...this.current.summary, choice } };
    return this.current.summary;
  }

  async #close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    this.generation++;
    // A device that is lost may not close in order; it is gone all the same.
    await open?.model.close().catch(() => {});
  }

  /** The bytes of a model, read by ranges, and its vocabulary where it was given one. */
  async sourceOf(ref: ModelRef, { emit, signal }: OpenContext): Promise<Source> {
    switch (ref.kind) {
      case 'bundled':
        return { name: text.models.bundled, blob: await fetchBundled(emit, signal), tokenizer: undefined };
      case 'file':
        return { name: ref.file.name, blob: ref.file, tokenizer: await tokenizerOf(ref.vocabulary) };
      case 'stored': {
        const { name, file, vocabulary } = await this.#store.open(ref.id);
        return { name, blob: file, tokenizer: await tokenizerOf(vocabulary) };
      }
    }
  }
}

/** A small file is read at once: hundreds of reads would take longer than all the rest. */
async function readable({ blob, name }: Source, signal: AbortSignal): Promise<ByteSource> {
  const file = blobSource(blob, name);
  return file.size > AT_ONCE_BYTES ? file : bytesSource(await file.read(0, file.size, signal), name);
}

async function tokenizerOf(file: File | undefined): Promise<Tokenizer | undefined> {
  return file === undefined ? undefined : readTokenizer(file);
}

async function fetchBundled(emit: (progress: Progress) => void, signal: AbortSignal): Promise<Blob> {
  emit({ what: 'fetching', done: 0, total: 1 });
  const response = await fetch(storiesModel, { signal });
  if (response.ok) return response.blob();
  throw new ReceptanceError('READ_FAILED', text.errors.bundled(response.status), { hint: text.errors.bundledHint });
}

async function choiceOf({ backend }: OpenRequest, bytes: number): Promise<BackendChoice> {
  if (backend !== 'auto') return { backend, why: text.choice.chosen };
  return chooseBackend(bytes, () => verdictOn('webgpu'));
}

function summaryOf(model: Model, { name, blob }: Source, choice: BackendChoice, openMs: number): ModelSummary {
  const { architecture, layers, width, vocabularySize, fingerprint, tokenizer, memory, device } = model;
  return {
    ...{ name, architecture, layers, width, vocabularySize, fingerprint, choice, openMs },
    hasTokenizer: tokenizer !== undefined,
    fileBytes: blob.size,
    parameterBytes: memory.parameterBytes,
    // A session holds two copies.
    stateBytes: memory.sessionBytes / 2,
    adapter: device.adapter,
    threads: device.threads,
  };
}

/** Opens a device beside the model's, for measurements. */
export async function openDevice(name: BackendName, threads: number): Promise<Device> {
  return (await backendOf(name, threads)).open();
}
