import { computed, type Signal, signal } from '@preact/signals';
import { text } from '../text.ts';
import type { GenerateEvent } from '../worker/protocol.ts';
import { model } from './model.ts';
import { fail, say } from './notices.ts';
import { saveFile } from './save-file.ts';
import { samplingOf, settings, showsProbabilities } from './settings.ts';
import {
  EMPTY_TREE,
  nodeAt,
  pathTo,
  showing,
  type TextNode,
  type Tree,
  withNode,
  without,
  withPieces,
  writtenText,
} from './tree.ts';
import { worker } from './worker.ts';

/** Two trees: a text to go on with, and a conversation. */
export type Kind = 'write' | 'chat';

export const trees: Readonly<Record<Kind, Signal<Tree>>> = { write: signal(EMPTY_TREE), chat: signal(EMPTY_TREE) };

/** How many likeliest tokens are shown beside the one that was chosen. */
const LIKELIEST = 6;

const running = signal<AbortController | undefined>(undefined);
export const isWriting = computed(() => running.value !== undefined);

export function stop(): void {
  running.value?.abort();
}

/** Goes on from a node with words of the person's own; a node that has been gone on from before thereby branches. */
export async function goOn(kind: Kind, parent: string | undefined, prompt: string, seed = newSeed()): Promise<void> {
  const tokens = promptTokens(prompt);
  if (tokens === undefined || running.value !== undefined) return;
  const controller = new AbortController();
  running.value = controller;
  const tree = trees[kind];
  const node: TextNode = { ...{ id: crypto.randomUUID(), parent, prompt, chunks: [] }, writing: true, seed };
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
  } catch (error) {
    fail(error);
    remove(kind, node.id);
  } finally {
    running.value = undefined;
  }
}

/** Another way on from where a node begins, with the same words. */
export function again(kind: Kind, { parent, prompt }: TextNode): Promise<void> {
  return goOn(kind, parent, prompt);
}

export function show(kind: Kind, id: string): void {
  trees[kind].value = showing(trees[kind].value, id);
}

export function remove(kind: Kind, id: string): void {
  const { tree, removed } = without(trees[kind].value, id);
  trees[kind].value = tree;
  void worker.call('forget', removed);
}

/** Begins an empty text beside those that there are. */
export function begin(kind: Kind): void {
  trees[kind].value = { ...trees[kind].value, leaf: undefined };
}

/** The states of a model mean nothing to another. */
export function forgetAll(): void {
  for (const tree of Object.values(trees)) {
    void worker.call('forget', [...tree.value.nodes.keys()]);
    tree.value = EMPTY_TREE;
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
    const node: TextNode = { ...{ id, parent: undefined, prompt: '', imported, chunks: [] }, writing: false, seed: 0 };
    trees[kind].value = { ...withNode(trees[kind].value, node), leaf: id };
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

function newSeed(): number {
  const { seed } = settings.value;
  return seed ?? Math.floor(Math.random() * 2 ** 31);
}
