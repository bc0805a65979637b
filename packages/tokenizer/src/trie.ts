import { badVocabulary } from './errors.ts';
import type { PackedVocabulary } from './vocabulary/packed.ts';

const NONE = -1;

/**
 * A vocabulary by prefixes. Nodes are numbered breadth first, so the children of a node lie side by side, in the order
 * of their bytes, and one array says where: 9 bytes a node. Node 0 is the empty prefix.
 */
export class Trie {
  /** [nodes + 1]: the children of `node` are `first[node] … first[node + 1]`. */
  readonly #first: Uint32Array;
  /** [nodes]: the byte that leads to the node. */
  readonly #label: Uint8Array;
  /** [nodes]: the token that ends here, or −1. */
  readonly #token: Int32Array;

  /** @throws ReceptanceError `BAD_VOCABULARY` for two tokens of the same bytes, or a byte that is no token */
  constructor(vocabulary: PackedVocabulary) {
    const { bytes, offsets } = vocabulary;
    const order = sorted(vocabulary);
    const nodes = countNodes(vocabulary, order);
    this.#first = new Uint32Array(nodes + 1);
    this.#label = new Uint8Array(nodes);
    this.#token = new Int32Array(nodes).fill(NONE);
    // Tokens from[node] … to[node] of the order are those that begin with the node's prefix, of length depth[node].
    const from = new Uint32Array(nodes);
    const to = new Uint32Array(nodes);
    const depth = new Uint16Array(nodes);
    to[0] = order.length;
    let made = 1;
    for (let node = 0; node < nodes; node++) {
      this.#first[node] = made;
      const here = depth[node] ?? 0;
      for (let i = from[node] ?? 0; i < (to[node] ?? 0); i++) {
        const id = order[i] ?? 0;
        const at = (offsets[id] ?? 0) + here;
        if (at === offsets[id + 1]) {
          this.#token[node] = id;
          continue;
        }
        const label = bytes[at] ?? 0;
        if (made === this.#first[node] || this.#label[made - 1] !== label) {
          this.#label[made] = label;
          from[made] = i;
          depth[made] = here + 1;
          made++;
        }
        to[made - 1] = i + 1;
      }
    }
    this.#first[nodes] = made;
    this.#checkBytes();
  }

  /** Of all tokens that begin at a byte, the longest; then the same after it. Linear in the text for a given vocabulary. */
  encode(text: Uint8Array): number[] {
    const first = this.#first;
    const label = this.#label;
    const token = this.#token;
    const ids: number[] = [];
    for (let start = 0; start < text.length; ) {
      // Every byte is a token, so the children of node 0 are nodes 1 … 256, in the order of the bytes.
      let node = 1 + (text[start] ?? 0);
      let best = token[node] ?? NONE;
      let end = start + 1;
      for (let at = end; at < text.length; ) {
        const byte = text[at] ?? 0;
        let low = first[node] ?? 0;
        let high = first[node + 1] ?? 0;
        while (low < high) {
          const middle = (low + high) >>> 1;
          if ((label[middle] ?? 0) < byte) low = middle + 1;
          else high = middle;
        }
        if (low === first[node + 1] || label[low] !== byte) break;
        node = low;
        at++;
        const id = token[node] ?? NONE;
        if (id !== NONE) {
          best = id;
          end = at;
        }
      }
      ids.push(best);
      start = end;
    }
    return ids;
  }

  #checkBytes(): void {
    const missing = new Set(Array.from({ length: 256 }, (_, byte) => byte));
    for (let node = this.#first[0] ?? 0; node < (this.#first[1] ?? 0); node++) {
      if (this.#token[node] !== NONE) missing.delete(this.#label[node] ?? 0);
    }
    if (missing.size === 0) return;
    const some = [...missing].slice(0, 4).map((byte) => `0x${byte.toString(16).padStart(2, '0')}`);
    throw badVocabulary(
      `${missing.size} of the 256 bytes are no tokens of the vocabulary: ${some.join(', ')}${missing.size > 4 ? ', …' : ''}`,
      'a vocabulary needs an entry for every single byte, so that every text can be encoded',
    );
  }
}

/** Ids that have bytes, in the order of these. */
function sorted({ bytes, offsets, size }: PackedVocabulary): Uint32Array {
  const ids: number[] = [];
  for (let id = 0; id < size; id++) if (offsets[id] !== offsets[id + 1]) ids.push(id);
  return Uint32Array.from(ids).sort((a, b) => {
    const endA = offsets[a + 1] ?? 0;
    const endB = offsets[b + 1] ?? 0;
    let atA = offsets[a] ?? 0;
    let atB = offsets[b] ?? 0;
    for (; atA < endA && atB < endB; atA++, atB++) {
      const difference = (bytes[atA] ?? 0) - (bytes[atB] ?? 0);
      if (difference !== 0) return difference;
    }
    return endA - atA - (endB - atB);
  });
}

/** One for the empty prefix, and for each token one for every byte that it does not share with the token before. */
function countNodes({ bytes, offsets, where }: PackedVocabulary, order: Uint32Array): number {
  let nodes = 1;
  for (let i = 0; i < order.length; i++) {
    const id = order[i] ?? 0;
    const start = offsets[id] ?? 0;
    const length = (offsets[id + 1] ?? 0) - start;
    let shared = 0;
    if (i > 0) {
      const before = order[i - 1] ?? 0;
      const other = offsets[before] ?? 0;
      const most = Math.min(length, (offsets[before + 1] ?? 0) - other);
      while (shared < most && bytes[start + shared] === bytes[other + shared]) shared++;
      if (shared === length) {
        throw badVocabulary(`${where(id)}: token ${id} is the same bytes as token ${before} in ${where(before)}`);
      }
    }
    nodes += length - shared;
  }
  return nodes;
}
