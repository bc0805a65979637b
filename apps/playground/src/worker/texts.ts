import { ReceptanceError } from '@receptance/core';
import { loadState, type Piece, type SavedState, type Session, saveState } from 'receptance';
import { text } from '../text.ts';
import type { Context } from './handlers.ts';
import { bytesOf, type KeptTexts } from './kept-texts.ts';
import type { Models, OpenModel } from './models.ts';
import type {
  GenerateEvent,
  GenerateRequest,
  GenerateResult,
  ImportedState,
  KeptStep,
  PieceMessage,
  StateFile,
  TraceRequest,
  TraceResult,
} from './protocol.ts';

/** Bytes of states that are kept; beyond it the oldest are let go. */
const MOST_BYTES = 512 << 20;
/** Pieces are sent to the page this often: once a frame. */
const FRAME_MS = 16;

/**
 * The texts of the page as a tree: each node is a text that goes on from its parent's, and what is kept of it is its
 * state. So a conversation branches wherever one wants, and a branch costs the same however long the text before it is.
 */
export class Texts {
  readonly #models: Models;
  readonly #kept: KeptTexts;
  /** In the order they were used. */
  readonly #states = new Map<string, SavedState>();
  #session: { readonly session: Session; readonly generation: number; at: string | undefined } | undefined;
  /** Calls take turns. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(models: Models, kept: KeptTexts) {
    this.#models = models;
    this.#kept = kept;
  }

  generate(request: GenerateRequest, context: Context<GenerateEvent>): Promise<GenerateResult> {
    return this.#inTurn(async () => {
      try {
        return await this.#generate(request, context);
      } catch (error) {
        if (!isLost(error) || this.#models.current.summary.choice.backend === 'wasm') throw error;
        const why = text.choice.lost(error.message);
        const model = await this.#models.reopenOnWasm(why);
        context.emit({ kind: 'restarted', why, model });
        return this.#generate(request, context);
      }
    });
  }

  async remember(step: KeptStep): Promise<undefined> {
    const state = this.#states.get(step.node.id);
    if (state !== undefined) await this.#kept.keep(step, state);
    return undefined;
  }

  recall(fingerprint: string): Promise<readonly KeptStep[]> {
    this.#states.clear();
    return this.#kept.of(fingerprint);
  }

  async forget(nodes: readonly string[] | 'everything'): Promise<undefined> {
    if (nodes === 'everything') this.#states.clear();
    else for (const node of nodes) this.#states.delete(node);
    await this.#kept.remove(nodes);
    return undefined;
  }

  async exportState(node: string): Promise<StateFile> {
    const state = await this.#stateOf(node);
    return { name: `${state.architecture}-${state.length}-tokens.state.safetensors`, bytes: saveState(state) };
  }

  importState(file: File, to: string): Promise<ImportedState> {
    return this.#inTurn(async () => {
      const state = await loadState(await file.arrayBuffer());
      const open = this.#models.current;
      const session = await this.#sessionAt(undefined, open);
      await session.restore(state);
      this.#keep(to, state);
      if (this.#session !== undefined) this.#session.at = to;
      const { tokenizer } = open.model;
      const tail = tokenizer === undefined ? state.tail.join(' ') : tokenizer.decode(state.tail);
      return { length: state.length, tail };
    });
  }

  trace({ text: wanted, layer }: TraceRequest): Promise<TraceResult> {
    return this.#inTurn(async () => {
      const { model } = this.#models.current;
      const trace = await model.trace(typeof wanted === 'string' ? wanted : [...wanted], { layer });
      return { trace, tokens: trace.tokens.map((token) => tokenText(token, this.#models.current)) };
    });
  }

  async #generate(request: GenerateRequest, { emit, signal }: Context<GenerateEvent>): Promise<GenerateResult> {
    const open = this.#models.current;
    const began = performance.now();
    const session = await this.#sessionAt(request.from, open);
    if (this.#session !== undefined) this.#session.at = undefined;
    const stream = new PieceStream(emit);
    const tally = { tokens: 0, first: Number.NaN, last: Number.NaN };
    const pieces = piecesOf(session, request, signal);
    let finish: GenerateResult['finish'] = 'stop';
    try {
      for (;;) {
        const { value, done } = await pieces.next();
        if (done) {
          finish = value;
          break;
        }
        tally.tokens++;
        tally.last = performance.now();
        if (tally.tokens === 1) tally.first = tally.last;
        stream.push(messageOf(value, open));
      }
    } catch (error) {
      if (!signal.aborted) throw error;
      finish = 'stopped';
    }
    stream.flush();
    this.#keep(request.to, await session.save());
    if (this.#session !== undefined) this.#session.at = request.to;
    return {
      ...{ finish, tokens: tally.tokens, length: session.length },
      firstTokenMs: tally.first - began,
      tokensPerSecond: (1000 * (tally.tokens - 1)) / (tally.last - tally.first),
    };
  }

  /** A session that stands at a node. */
  async #sessionAt(node: string | undefined, { model }: OpenModel): Promise<Session> {
    const { generation } = this.#models;
    if (this.#session?.generation === generation && this.#session.at === node && node !== undefined) {
      return this.#session.session;
    }
    const state = node === undefined ? undefined : await this.#stateOf(node);
    if (this.#session?.generation === generation) await this.#session.session.close();
    this.#session = undefined;
    const session = await model.session();
    this.#session = { session, generation, at: node };
    if (state !== undefined) await session.restore(state);
    return session;
  }

  async #stateOf(node: string): Promise<SavedState> {
    const state = this.#states.get(node) ?? (await this.#kept.state(node));
    if (state !== undefined) return state;
    throw new ReceptanceError('NO_STATE', text.errors.noState, { hint: text.errors.noStateHint });
  }

  #keep(node: string, state: SavedState): void {
    this.#states.delete(node);
    this.#states.set(node, state);
    let bytes = 0;
    for (const [name, kept] of [...this.#states].reverse()) {
      bytes += bytesOf(kept);
      if (bytes > MOST_BYTES && name !== node) this.#states.delete(name);
    }
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(task, task);
    this.#turn = done.catch(() => {});
    return done;
  }
}

function piecesOf(session: Session, request: GenerateRequest, signal: AbortSignal) {
  const { greedy, seed, sampling, maxTokens, likeliest: logprobs, prompt, chat } = request;
  const options = { ...(greedy ? { greedy } : { sampling, seed }), maxTokens, logprobs, signal };
  if (chat && typeof prompt === 'string' && prompt !== '') return session.chat(prompt, options);
  const tokens = typeof prompt === 'string' ? prompt : [...prompt];
  return session.generate({ ...options, prompt: tokens, ...(chat && { stop: ['\n\n'] }) });
}

function messageOf({ token, text: piece, logprobs }: Piece, open: OpenModel): PieceMessage {
  const shown = open.model.tokenizer === undefined ? `${token} ` : piece;
  if (logprobs === undefined) return { token, text: shown };
  const likeliest = logprobs.likeliest.map(({ token: other, logprob }) => ({
    text: tokenText(other, open),
    probability: Math.exp(logprob),
  }));
  return { token, text: shown, probability: Math.exp(logprobs.chosen), likeliest };
}

/** A token by itself, as a person can read it. */
function tokenText(token: number, { model: { tokenizer } }: OpenModel): string {
  if (tokenizer === undefined || token >= tokenizer.vocabularySize) return `#${token}`;
  if (token === tokenizer.endOfText) return '∎';
  const decoded = tokenizer.decode([token]);
  return decoded.includes('\uFFFD') || decoded === '' ? `#${token}` : decoded;
}

/** Sends what has come together once a frame, so that the page draws no more often than it can. */
class PieceStream {
  readonly #emit: (event: GenerateEvent) => void;
  #waiting: PieceMessage[] = [];
  #sent = 0;

  constructor(emit: (event: GenerateEvent) => void) {
    this.#emit = emit;
  }

  push(piece: PieceMessage): void {
    this.#waiting.push(piece);
    if (performance.now() - this.#sent >= FRAME_MS) this.flush();
  }

  flush(): void {
    if (this.#waiting.length === 0) return;
    this.#sent = performance.now();
    this.#emit({ kind: 'pieces', pieces: this.#waiting, at: this.#sent });
    this.#waiting = [];
  }
}

function isLost(error: unknown): error is ReceptanceError {
  if (!ReceptanceError.isInstance(error)) return false;
  return error.code === 'DEVICE_LOST' || (error.code === 'SESSION_FAILED' && isLost(error.cause));
}
