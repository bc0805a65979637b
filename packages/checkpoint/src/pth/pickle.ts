import { checkpointError, quote } from '../errors.ts';
import { Cursor } from './cursor.ts';
import { badPickle, unsafePickle } from './errors.ts';
import { GLOBALS } from './globals.ts';
import { persistentStorage, reduce } from './rebuild.ts';
import type { Global, PickleDict, PickleTuple, PickleValue } from './values.ts';
import { isObject } from './values.ts';

/** Python writes at most a thousand items between two operations that take them off the stack. */
const DEEPEST_STACK = 2 ** 16;
/** Tuples, lists, dictionaries, tensors; a tensor takes about six of them. */
const MOST_OBJECTS = 2 ** 19;
const NO_ITEMS: PickleTuple = { kind: 'tuple', items: [] };

/**
 * Reads the pickle of a torch.save file: a closed subset of protocol 2, which can make numbers, strings, tuples,
 * lists, dictionaries and descriptions of tensors, and nothing else. No code of the pickle's choosing ever runs.
 *
 * @throws ReceptanceError `UNSAFE_PICKLE` when it asks for more than that, `BAD_PICKLE` when it is broken.
 */
export function readPickle(file: string, bytes: Uint8Array): PickleValue {
  return new Unpickler(file, bytes).run();
}

class Unpickler {
  readonly #file: string;
  readonly #in: Cursor;
  readonly #stack: PickleValue[] = [];
  /** How high the stack was at each open MARK. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #objects = 0;

  constructor(file: string, bytes: Uint8Array) {
    this.#file = file;
    this.#in = new Cursor(file, bytes);
  }

  run(): PickleValue {
    if (this.#in.u8() !== 0x80) throw badPickle(this.#file, 'it does not begin with a protocol');
    const protocol = this.#in.u8();
    if (protocol !== 2) {
      throw checkpointError(
        'UNSUPPORTED_FORMAT',
        this.#file,
        `data.pkl is of pickle protocol ${protocol}`,
        'save it in the default protocol of torch.save, 2',
      );
    }
    for (;;) {
      const opcode = this.#in.u8();
      if (opcode === 0x2e) return this.#end(); // STOP .
      this.#step(opcode);
    }
  }

  #step(opcode: number): void {
    const value = this.#value(opcode);
    if (value === undefined) this.#change(opcode);
    else this.#push(value);
  }

  /** The value that an operation puts on the stack; undefined for one that does something else. */
  #value(opcode: number): PickleValue | undefined {
    const input = this.#in;
    switch (opcode) {
      case 0x29: // EMPTY_TUPLE )
        return NO_ITEMS;
      case 0x4e: // NONE N
        return null;
      case 0x88: // NEWTRUE
        return true;
      case 0x89: // NEWFALSE
        return false;
      case 0x4b: // BININT1 K
        return input.u8();
      case 0x4d: // BININT2 M
        return input.u16();
      case 0x4a: // BININT J
        return input.i32();
      case 0x8a: // LONG1
        return input.integer(input.u8());
      case 0x47: // BINFLOAT G
        return input.f64();
      case 0x58: // BINUNICODE X
        return input.text(input.u32());
      case 0x63: // GLOBAL c
        return this.#global(input.line(), input.line());
      case 0x7d: // EMPTY_DICT }
        return this.#made({ kind: 'dict', entries: new Map() });
      case 0x5d: // EMPTY_LIST ]
        return this.#made({ kind: 'list', items: [] });
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.#tuple(opcode - 0x84);
      case 0x74: // TUPLE t
        return this.#made({ kind: 'tuple', items: this.#popMarked() });
      case 0x68: // BINGET h
        return this.#recall(input.u8());
      case 0x6a: // LONG_BINGET j
        return this.#recall(input.u32());
      case 0x51: // BINPERSID Q
        return this.#made(persistentStorage(this.#file, this.#pop()));
      case 0x52: {
        // REDUCE R
        const args = this.#pop();
        return this.#made(reduce(this.#file, this.#pop(), args));
      }
      default:
        return undefined;
    }
  }

  /** The operations that change what is on the stack or in the memo. */
  #change(opcode: number): void {
    switch (opcode) {
      case 0x28: // MARK (
        this.#mark();
        break;
      case 0x61: // APPEND a
        this.#append([this.#pop()]);
        break;
      case 0x65: // APPENDS e
        this.#append(this.#popMarked());
        break;
      case 0x73: {
        // SETITEM s
        const value = this.#pop();
        this.#setItems([this.#pop(), value]);
        break;
      }
      case 0x75: // SETITEMS u
        this.#setItems(this.#popMarked());
        break;
      case 0x71: // BINPUT q
        this.#remember(this.#in.u8());
        break;
      case 0x72: // LONG_BINPUT r
        this.#remember(this.#in.u32());
        break;
      case 0x62: // BUILD b: attributes of a dictionary, such as the `_metadata` of a module's state, are not needed
        this.#pop();
        this.#dict('it sets attributes of');
        break;
      default:
        throw unsafePickle(this.#file, `has the operation 0x${opcode.toString(16)} at byte ${this.#in.at - 1}`);
    }
  }

  #end(): PickleValue {
    const value = this.#pop();
    if (this.#stack.length > 0 || this.#marks.length > 0) throw badPickle(this.#file, 'it leaves values behind');
    return value;
  }

  #push(value: PickleValue): void {
    if (this.#stack.length >= DEEPEST_STACK) throw badPickle(this.#file, 'it nests too deeply');
    this.#stack.push(value);
  }

  #made<T extends PickleValue>(value: T): T {
    if (++this.#objects > MOST_OBJECTS) throw badPickle(this.#file, `it makes more than ${MOST_OBJECTS} objects`);
    return value;
  }

  #mark(): void {
    if (this.#marks.length >= DEEPEST_STACK) throw badPickle(this.#file, 'it nests too deeply');
    this.#marks.push(this.#stack.length);
  }

  #top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined || this.#stack.length <= this.#floor()) {
      throw badPickle(this.#file, `a value is missing at byte ${this.#in.at}`);
    }
    return value;
  }

  #pop(): PickleValue {
    const value = this.#top();
    this.#stack.length--;
    return value;
  }

  #floor(): number {
    return this.#marks.at(-1) ?? 0;
  }

  #popMarked(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw badPickle(this.#file, `a mark is missing at byte ${this.#in.at}`);
    return this.#stack.splice(mark);
  }

  #tuple(length: number): PickleTuple {
    if (this.#stack.length - length < this.#floor()) throw badPickle(this.#file, 'a tuple lacks values');
    return this.#made({ kind: 'tuple', items: this.#stack.splice(-length) });
  }

  #global(module: string, attribute: string): Global {
    const name = `${module}.${attribute}`;
    const is = GLOBALS.get(name);
    if (is === undefined) throw unsafePickle(this.#file, `asks for ${quote(name)}`);
    return { kind: 'global', name, is };
  }

  #append(items: readonly PickleValue[]): void {
    const list = this.#top();
    if (!isObject(list, 'list')) throw badPickle(this.#file, 'it appends to what is no list');
    for (const item of items) list.items.push(item);
  }

  #setItems(items: readonly PickleValue[]): void {
    const { entries } = this.#dict('it sets an item of');
    if (items.length % 2 !== 0) throw badPickle(this.#file, 'a dictionary has a key without a value');
    for (let i = 0; i < items.length; i += 2) {
      const [key = null, value = null] = items.slice(i, i + 2);
      if (entries.has(key)) {
        throw badPickle(
          this.#file,
          `a dictionary has the key ${typeof key === 'string' ? quote(key) : typeof key} twice`,
        );
      }
      entries.set(key, value);
    }
  }

  #dict(what: string): PickleDict {
    const dict = this.#top();
    if (!isObject(dict, 'dict')) throw badPickle(this.#file, `${what} what is no dictionary`);
    return dict;
  }

  #remember(index: number): void {
    if (!this.#memo.has(index) && this.#memo.size >= MOST_OBJECTS) {
      throw badPickle(this.#file, `it remembers more than ${MOST_OBJECTS} values`);
    }
    this.#memo.set(index, this.#top());
  }

  #recall(index: number): PickleValue {
    const value = this.#memo.get(index);
    if (value === undefined) throw badPickle(this.#file, `it recalls value ${index}, which it never remembered`);
    return value;
  }
}
