import { computed, type Signal, signal } from '@preact/signals';
import { text } from '../text.ts';
import type { GenerateEvent } from '../worker/protocol.ts';
import { model } from './model.ts';
import { fail, say } from './notices.ts';
import { saveFile } from './save-file.ts';
import { samplingOf, settings, showsProbabilities } from './settings.ts';
import {
  EMPTY_TREE,
  KINDS,
  type Kind,
  nodeAt,
  pathTo,
  showing,
  type TextNode,
  type Tree,
  withEarlier,
  withNode,
  without,
  withPieces,
  writtenText,
} from './tree.ts';
import { worker } from './worker.ts';

export const trees: Readonly<Record<Kind, Signal<Tree>>> = { write: signal(EMPTY_TREE), chat: signal(EMPTY_TREE) };

/** How many likeliest tokens are shown beside the one that was chosen. */
const LIKELIEST = 6;

const running = signal<AbortController | undefined>(undefined);
export const isWriting = computed(() => running.value !== undefined);

export function stop(): void {
  running.value?.abort();
}

/** Where a step begins: in which text, and after which of its steps. */
export interface Place {
  readonly textId: string;
  readonly parent: string | undefined;
}

/**
 * Goes on from a place with words of the person's own, or begins a text. A step that has been gone on from before
 * thereby branches.
 */
export async function goOn(kind: Kind, place: Place | undefined, prompt: string): Promise<void> {
  const tokens = promptTokens(prompt);
  if (tokens === undefined || running.value !== undefined) return;
  const controller = new AbortController();
  running.value = controller;
  const tree = trees[kind];
  const { textId, parent } = place ?? newText();
  const seed = settings.value.seed ?? Math.floor(Math.random() * 2 ** 31);
  const id = crypto.randomUUID();
  const node: TextNode = { ...{ id, textId, parent, prompt, chunks: [] }, writing: true, seed, at: Date.now() };
  tree.value = { ...withNode(tree.value, node), leaf: node.id };
  const { greedy, maxTokens } = settings.value;
  const change = (changed: (node: TextNode) => TextNode): void => {
    const now = nodeAt(tree.value, node.id);
    if (now !== undefined) tree.value = withNode(tree.value, changed(now));
  };
  try {
    const request = {
      ...{ from: parent, to: node.id, prompt: tokens, chat: kind === 'chat', greedy, maxTokens, seed },
      sampling: samplingOf(settings.value),
      likeliest: showsProbabilities.value ? LIKELIEST : undefined,
    };
    const onEvent = (event: GenerateEvent): void => {
      if (event.kind === 'pieces') change((now) => withPieces(now, event.pieces));
      else {
        model.value = event.model;
        change((now) => ({ ...now, chunks: [] }));
        say(event.why);
      }
    };
    const result = await worker.call('generate', request, { onEvent, signal: controller.signal });
    change((now) => ({ ...now, writing: false, result }));
    await remember(kind, node.id);
  } catch (error) {
    fail(error);
    remove(kind, node.id);
  } finally {
    running.value = undefined;
  }
}

/** Another way on from where a node begins, with the same words. */
export function again(kind: Kind, node: TextNode): Promise<void> {
  return goOn(kind, node, node.prompt);
}

export function show(kind: Kind, id: string): void {
  trees[kind].value = showing(trees[kind].value, id);
}

export function remove(kind: Kind, id: string): void {
  const { tree, removed } = without(trees[kind].value, id);
  trees[kind].value = tree;
  worker.call('forget', removed).catch(fail);
}

/** Removes a text with all its branches. */
export function removeText(kind: Kind, textId: string): void {
  for (const { id, parent, textId: of } of trees[kind].value.nodes.values())
    if (of === textId && parent === undefined) remove(kind, id);
}

/** Removes all texts there are, also those of other models. */
export async function removeEverything(): Promise<void> {
  try {
    await worker.call('forget', 'everything');
    for (const tree of Object.values(trees)) tree.value = EMPTY_TREE;
  } catch (error) {
    fail(error);
  }
}

/** Begins an empty text beside those that there are. */
export function begin(kind: Kind): void {
  trees[kind].value = { ...trees[kind].value, leaf: undefined };
}

/** Shows the texts that are kept of the model that is open, in place of those of another: their states mean nothing to it. */
export async function recall(): Promise<void> {
  const fingerprint = model.value?.fingerprint;
  for (const tree of Object.values(trees)) tree.value = EMPTY_TREE;
  if (fingerprint === undefined) return;
  try {
    const kept = await worker.call('recall', fingerprint);
    if (model.value?.fingerprint !== fingerprint) return;
    for (const kind of KINDS) {
      const nodes = kept.filter((step) => step.kind === kind).map(({ node }) => node);
      trees[kind].value = withEarlier(trees[kind].value, nodes);
    }
  } catch (error) {
    fail(error);
  }
}

/** Keeps a step that is done, for when the page is opened again. */
async function remember(kind: Kind, id: string): Promise<void> {
  const node = nodeAt(trees[kind].value, id);
  if (node === undefined || !settings.value.keepTexts) return;
  try {
    await worker.call('remember', { kind, node });
  } catch (error) {
    fail(error);
  }
}

/** All that is written from the beginning of a text to its end. */
export function textTo(kind: Kind): string {
  return pathTo(trees[kind].value)
    .map((node) => node.prompt + writtenText(node))
    .join('');
}

export async function exportState(node: string): Promise<void> {
  try {
    const { name, bytes } = await worker.call('exportState', node);
    saveFile(name, new Blob([bytes], { type: 'application/octet-stream' }));
  } catch (error) {
    fail(error);
  }
}

export async function importState(kind: Kind, file: File): Promise<void> {
  const id = crypto.randomUUID();
  try {
    const imported = await worker.call('importState', { file, to: id });
    const node: TextNode = {
      ...{ id, ...newText(), prompt: '', imported, chunks: [] },
      ...{ writing: false, seed: 0, at: Date.now() },
    };
    trees[kind].value = { ...withNode(trees[kind].value, node), leaf: id };
    await remember(kind, id);
  } catch (error) {
    fail(error);
  }
}

/** Words for a model with a tokenizer; ids for one without. Undefined, with a notice, for what is neither. */
function promptTokens(prompt: string): string | number[] | undefined {
  if (model.value === undefined) return undefined;
  if (model.value.hasTokenizer) return prompt;
  const ids = prompt.split(/[\s,]+/).filter((part) => part !== '');
  if (ids.every((id) => /^\d+$/.test(id))) return ids.map(Number);
  fail(new Error(text.errors.idsWanted));
  return undefined;
}

function newText(): Place {
  return { textId: crypto.randomUUID(), parent: undefined };
}
