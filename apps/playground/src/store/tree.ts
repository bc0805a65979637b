import type { GenerateResult, ImportedState, PieceMessage } from '../worker/protocol.ts';

/** Two kinds of texts: one to go on with, and a conversation. */
export const KINDS = ['write', 'chat'] as const;
export type Kind = (typeof KINDS)[number];

/** One step of a text: words that a person gave, and what the model went on with. */
export interface TextNode {
  readonly id: string;
  /** The text that it is a step of, whose branches all have it. */
  readonly textId: string;
  /** Undefined at the beginning of a text. */
  readonly parent: string | undefined;
  readonly prompt: string;
  /** What stands for the text before it, where it was brought from elsewhere. */
  readonly imported?: ImportedState | undefined;
  /** In chunks of at most `CHUNK`: those that are full never change, so that the page draws only the last. */
  readonly chunks: readonly (readonly PieceMessage[])[];
  readonly writing: boolean;
  readonly result?: GenerateResult | undefined;
  readonly seed: number;
  /** When it was begun, in milliseconds since 1970. */
  readonly at: number;
}

/** Texts that share their beginnings. */
export interface Tree {
  readonly nodes: ReadonlyMap<string, TextNode>;
  /** The end of the text that is shown. */
  readonly leaf: string | undefined;
}

export const EMPTY_TREE: Tree = { nodes: new Map(), leaf: undefined };

/** A text as it is listed. */
export interface TextSummary {
  readonly textId: string;
  /** How it begins. */
  readonly beginning: string;
  /** The step that was made last. */
  readonly newest: TextNode;
}

const CHUNK = 64;

/** From the beginning of a text to its end. */
export function pathTo(tree: Tree, leaf: string | undefined = tree.leaf): TextNode[] {
  const path: TextNode[] = [];
  for (let node = nodeAt(tree, leaf); node !== undefined; node = nodeAt(tree, node.parent)) path.unshift(node);
  return path;
}

export function nodeAt(tree: Tree, id: string | undefined): TextNode | undefined {
  return id === undefined ? undefined : tree.nodes.get(id);
}

/** The other ways a text goes on from the same place, in the order they were made, with this one. */
export function siblingsOf(tree: Tree, node: TextNode): TextNode[] {
  return [...tree.nodes.values()].filter(({ parent, textId }) => parent === node.parent && textId === node.textId);
}

/**
 * With steps that were made before all that there are, in their order. One whose beginning is not there any more is
 * left out.
 */
export function withEarlier(tree: Tree, earlier: Iterable<TextNode>): Tree {
  const nodes = new Map<string, TextNode>();
  for (const node of earlier) if (node.parent === undefined || nodes.has(node.parent)) nodes.set(node.id, node);
  return { nodes: new Map([...nodes, ...tree.nodes]), leaf: tree.leaf ?? [...nodes.keys()].at(-1) };
}

/** All texts of a tree, the one that was gone on with last before the others. */
export function textsOf(tree: Tree, kind: Kind): TextSummary[] {
  const texts = Map.groupBy(tree.nodes.values(), ({ textId }) => textId);
  return [...texts]
    .flatMap(([textId, nodes]) => {
      const newest = nodes.at(-1);
      return newest === undefined ? [] : [{ textId, beginning: beginningOf(nodes, kind), newest }];
    })
    .sort((a, b) => b.newest.at - a.newest.at);
}

const BEGINNING = 80;

/** A chat is known by what the person said first. */
function beginningOf(nodes: readonly TextNode[], kind: Kind): string {
  for (const node of nodes) {
    const isMessage = kind === 'chat' && node.prompt !== '';
    const words = (node.imported?.tail ?? '') + node.prompt + (isMessage ? '' : writtenText(node));
    if (words.trim() !== '') return words.trim().slice(0, BEGINNING);
  }
  return '';
}

export function withNode(tree: Tree, node: TextNode): Tree {
  return { ...tree, nodes: new Map(tree.nodes).set(node.id, node) };
}

/** Shows the text through a node, and from there on the branch that was made last. */
export function showing(tree: Tree, id: string): Tree {
  let leaf = id;
  for (;;) {
    const next = [...tree.nodes.values()].findLast(({ parent }) => parent === leaf);
    if (next === undefined) return { ...tree, leaf };
    leaf = next.id;
  }
}

/** A node and all that goes on from it, taken away. */
export function without(tree: Tree, id: string): { readonly tree: Tree; readonly removed: readonly string[] } {
  const removed = new Set([id]);
  for (const node of tree.nodes.values())
    if (node.parent !== undefined && removed.has(node.parent)) removed.add(node.id);
  const nodes = new Map([...tree.nodes].filter(([name]) => !removed.has(name)));
  const rest = { nodes, leaf: undefined };
  const gone = tree.nodes.get(id);
  const sibling = gone && siblingsOf({ ...tree, nodes }, gone).at(-1);
  const shown = sibling?.id ?? gone?.parent;
  return { tree: shown === undefined ? rest : showing(rest, shown), removed: [...removed] };
}

export function withPieces(node: TextNode, pieces: readonly PieceMessage[]): TextNode {
  const last = node.chunks.at(-1);
  const open = last !== undefined && last.length < CHUNK ? last : undefined;
  const full = open === undefined ? node.chunks : node.chunks.slice(0, -1);
  const all = [...(open ?? []), ...pieces];
  const cut: (readonly PieceMessage[])[] = [];
  for (let at = 0; at < all.length; at += CHUNK) cut.push(all.slice(at, at + CHUNK));
  return { ...node, chunks: [...full, ...cut] };
}

export function writtenText({ chunks }: TextNode): string {
  return chunks.flatMap((chunk) => chunk.map(({ text }) => text)).join('');
}
