const TAB = 9;
const QUOTE = 0x27;
const DOUBLE_QUOTE = 0x22;
const BACKSLASH = 0x5c;

const ESCAPES: ReadonlyMap<string, number> = new Map([
  ['\\', BACKSLASH],
  ["'", QUOTE],
  ['"', DOUBLE_QUOTE],
  ['a', 7],
  ['b', 8],
  ['t', TAB],
  ['n', 10],
  ['v', 11],
  ['f', 12],
  ['r', 13],
]);

/**
 * The bytes of one Python string or bytes literal (a string's UTF-8), as Python reads it; nothing is evaluated. A backslash
 * before a character that makes no escape stays. Refused: f-strings, `\N{…}`, which needs a table of names, neighbouring
 * literals, which Python joins, and octal escapes above `\377` in bytes, which it has deprecated.
 */
export class PythonLiteral {
  readonly #into: Uint8Array;
  readonly #fail: (reason: string) => Error;
  #source = '';
  #at = 0;
  #end = 0;
  #length = 0;
  #bytes = false;

  /** `into`: scratch space that bounds how long a literal may be. `fail` makes the error that is thrown. */
  constructor(into: Uint8Array, fail: (reason: string) => Error) {
    this.#into = into;
    this.#fail = fail;
  }

  /** The bytes of the literal that is all of `source[start … end)`; valid until the next call. */
  read(source: string, start: number, end: number): Uint8Array {
    this.#source = source;
    this.#at = start;
    this.#end = end;
    this.#length = 0;
    const raw = this.#prefix();
    const delimiter = this.#delimiter();
    while (!this.#closes(delimiter)) {
      const code = this.#character();
      if (code !== BACKSLASH) this.#put(code);
      else if (raw) {
        this.#put(BACKSLASH);
        this.#put(this.#character());
      } else this.#escape();
    }
    return this.#into.subarray(0, this.#length);
  }

  /** Reads `b`, `u`, `r`, `br`, `rb` or nothing; gives whether the literal is raw. */
  #prefix(): boolean {
    const start = this.#at;
    while (this.#at < this.#end && this.#at - start < 3 && /[a-z]/i.test(this.#source.charAt(this.#at))) this.#at++;
    const prefix = this.#source.slice(start, this.#at).toLowerCase();
    if (!['', 'b', 'u', 'r', 'br', 'rb'].includes(prefix)) throw this.#fail('is not a string or bytes literal');
    this.#bytes = prefix.includes('b');
    return prefix.includes('r');
  }

  #delimiter(): string {
    const quote = this.#at < this.#end ? this.#source.charAt(this.#at) : '';
    if (quote !== "'" && quote !== '"') throw this.#fail('is not a string or bytes literal');
    const triple = quote.repeat(3);
    const delimiter = this.#starts(triple) ? triple : quote;
    this.#at += delimiter.length;
    return delimiter;
  }

  #starts(text: string): boolean {
    return this.#at + text.length <= this.#end && this.#source.startsWith(text, this.#at);
  }

  #closes(delimiter: string): boolean {
    if (!this.#starts(delimiter)) return false;
    if (this.#at + delimiter.length !== this.#end) throw this.#fail('has more after its closing quote');
    return true;
  }

  #character(): number {
    const code = this.#at < this.#end ? this.#source.codePointAt(this.#at) : undefined;
    if (code === undefined) throw this.#fail('has no closing quote');
    if (this.#bytes && code > 0x7f) throw this.#fail('is a bytes literal with a character that is not ASCII');
    if (code === 0 || code === 10 || code === 13) throw this.#fail('has a line break or U+0000 that is not escaped');
    this.#at += code > 0xffff ? 2 : 1;
    return code;
  }

  #escape(): void {
    const letter = this.#at < this.#end ? this.#source.charAt(this.#at) : '';
    const simple = ESCAPES.get(letter);
    if (simple !== undefined) {
      this.#at++;
      this.#put(simple);
    } else if (letter >= '0' && letter <= '7') this.#put(this.#octal());
    else if (letter === 'x') this.#put(this.#hex(2));
    else if (!this.#bytes && letter === 'u') this.#put(this.#hex(4));
    else if (!this.#bytes && letter === 'U') this.#put(this.#hex(8));
    else if (!this.#bytes && letter === 'N') throw this.#fail('has a character by name, \\N{…}, which is not read');
    else this.#put(BACKSLASH);
  }

  #octal(): number {
    let value = 0;
    for (let digits = 0; digits < 3; digits++) {
      const digit = this.#at < this.#end ? this.#source.charCodeAt(this.#at) - 0x30 : -1;
      if (digit < 0 || digit > 7) break;
      value = 8 * value + digit;
      this.#at++;
    }
    if (this.#bytes && value > 0xff) throw this.#fail('is a bytes literal with an octal escape above \\377');
    return value;
  }

  #hex(digits: number): number {
    const text = this.#source.slice(this.#at + 1, Math.min(this.#end, this.#at + 1 + digits));
    if (text.length !== digits || !/^[0-9a-f]+$/i.test(text)) {
      throw this.#fail(`has an escape \\${this.#source.charAt(this.#at)} without its ${digits} hexadecimal digits`);
    }
    this.#at += 1 + digits;
    return Number.parseInt(text, 16);
  }

  #put(code: number): void {
    if (this.#bytes || code < 0x80) this.#byte(code);
    else if (code < 0x800) {
      this.#byte(0xc0 | (code >> 6));
      this.#byte(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
      if (code >= 0xd800 && code <= 0xdfff) throw this.#fail('has half a surrogate pair, which UTF-8 cannot write');
      this.#byte(0xe0 | (code >> 12));
      this.#byte(0x80 | ((code >> 6) & 0x3f));
      this.#byte(0x80 | (code & 0x3f));
    } else {
      if (code > 0x10ffff) throw this.#fail('has an escape \\U above 10ffff');
      this.#byte(0xf0 | (code >> 18));
      this.#byte(0x80 | ((code >> 12) & 0x3f));
      this.#byte(0x80 | ((code >> 6) & 0x3f));
      this.#byte(0x80 | (code & 0x3f));
    }
  }

  #byte(value: number): void {
    if (this.#length === this.#into.length) throw this.#fail(`has more than ${this.#into.length} bytes`);
    this.#into[this.#length++] = value;
  }
}
