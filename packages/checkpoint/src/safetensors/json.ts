export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
/** Objects are maps: no key can be mistaken for a property, and their order is the text's. */
export type JsonObject = ReadonlyMap<string, JsonValue>;

/** Where and why a text is not JSON. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

const DEEPEST = 64;
/** A hundred thousand tensors have fewer. */
const MOST_VALUES = 2 ** 20;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/**
 * JSON, more strictly than `JSON.parse`: a key that occurs twice in an object is an error (two programs could
 * otherwise read two different files), and so is nesting deeper than 64, and more than a million values.
 *
 * @throws JsonError
 */
export function parseJson(text: string): JsonValue {
  const parser = new Parser(text);
  const value = parser.value(0);
  parser.end();
  return value;
}

class Parser {
  readonly #text: string;
  #at = 0;
  #values = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): JsonValue {
    if (++this.#values > MOST_VALUES) throw this.#error(`more than ${MOST_VALUES} values`);
    if (depth > DEEPEST) throw this.#error(`nesting deeper than ${DEEPEST}`);
    this.#skipSpace();
    const first = this.#text[this.#at];
    if (first === '{') return this.#object(depth);
    if (first === '[') return this.#array(depth);
    if (first === '"') return this.#string();
    if (first === 't') return this.#word('true', true);
    if (first === 'f') return this.#word('false', false);
    if (first === 'n') return this.#word('null', null);
    return this.#number();
  }

  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#error('something follows the value');
  }

  #object(depth: number): JsonObject {
    const object = new Map<string, JsonValue>();
    this.#at++;
    if (this.#take('}')) return object;
    for (;;) {
      this.#skipSpace();
      if (this.#text[this.#at] !== '"') throw this.#error('a key is expected');
      const key = this.#string();
      if (object.has(key)) throw this.#error(`the key ${JSON.stringify(key.slice(0, 100))} occurs twice`);
      if (!this.#take(':')) throw this.#error('":" is expected');
      object.set(key, this.value(depth + 1));
      if (this.#take('}')) return object;
      if (!this.#take(',')) throw this.#error('"," or "}" is expected');
    }
  }

  #array(depth: number): JsonValue[] {
    const array: JsonValue[] = [];
    this.#at++;
    if (this.#take(']')) return array;
    for (;;) {
      array.push(this.value(depth + 1));
      if (this.#take(']')) return array;
      if (!this.#take(',')) throw this.#error('"," or "]" is expected');
    }
  }

  #string(): string {
    const start = this.#at;
    let end = this.#text.indexOf('"', start + 1);
    while (end !== -1 && this.#isEscaped(end)) end = this.#text.indexOf('"', end + 1);
    if (end === -1) throw this.#error('a string does not end');
    this.#at = end + 1;
    const raw = this.#text.slice(start, end + 1);
    try {
      const string: unknown = JSON.parse(raw);
      if (typeof string === 'string') return string;
    } catch {
      // Said below.
    }
    this.#at = start;
    throw this.#error('a string has a bad escape or a control character');
  }

  /** Whether an odd number of backslashes stands before a quote. */
  #isEscaped(quote: number): boolean {
    let slash = quote - 1;
    while (this.#text[slash] === '\\') slash--;
    return (quote - slash) % 2 === 0;
  }

  #word<T extends JsonValue>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#error('a value is expected');
    this.#at += word.length;
    return value;
  }

  #number(): number {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) throw this.#error('a value is expected');
    this.#at = NUMBER.lastIndex;
    return Number(match[0]);
  }

  #take(char: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    for (;;) {
      const char = this.#text[this.#at];
      if (char !== ' ' && char !== '\n' && char !== '\t' && char !== '\r') return;
      this.#at++;
    }
  }

  #error(what: string): JsonError {
    return new JsonError(`${what}, at character ${this.#at}`);
  }
}
