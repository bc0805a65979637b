import type { Chooser } from './random.ts';
import { lexicon } from './vocabulary.ts';

/**
 * A word with its forms. A plain string is its own `text` form.
 * Forms in use: text, many (plural); of names also child, he, him, his.
 */
export type Word = string | Readonly<Record<string, string>>;

/**
 * A grammar is made of sentences (templates), arrays (one part after the other), choices, and functions for what needs counting.
 *
 * In a template `{toy}` is the toy of this story: drawn from the list `toy` at its first mention, the same ever after.
 * `{friend:name}` is a name remembered as `friend`, different from other remembered names. `{food!}` is drawn afresh and forgotten.
 * `{hero.his}` is a form; `{hero.His}` the form with a capital letter.
 */
export type Part = string | Choice | ((page: Page) => void) | readonly Part[];

export interface Choice {
  readonly options: readonly Part[];
  readonly weights: readonly number[] | undefined;
  /** How many different options are told, in drawn order. */
  readonly least: number;
  readonly most: number;
}

/** Exactly one of the options, all equally likely. */
export function one(...options: Part[]): Choice {
  return { options, weights: undefined, least: 1, most: 1 };
}

/** One of the options, likely in proportion to its weight. */
export function weighted(...options: (readonly [number, Part])[]): Choice {
  return { options: options.map((o) => o[1]), weights: options.map((o) => o[0]), least: 1, most: 1 };
}

/** The part, or nothing, evenly. */
export function maybe(part: Part): Choice {
  return one(part, []);
}

/** Between `least` and `most` different options, each count equally likely. */
export function some(least: number, most: number, ...options: Part[]): Choice {
  return { options, weights: undefined, least, most };
}

interface Slot {
  readonly variable: string;
  readonly list: string;
  readonly fresh: boolean;
  readonly form: string;
  readonly capital: boolean;
}

const parsed = new Map<string, readonly (string | Slot)[]>();

function parse(template: string): readonly (string | Slot)[] {
  const known = parsed.get(template);
  if (known !== undefined) return known;
  const pieces: (string | Slot)[] = [];
  let end = 0;
  for (const match of template.matchAll(/\{([a-z]+)(?::([a-z]+))?(!?)(?:\.([A-Za-z]+))?\}/g)) {
    if (match.index > end) pieces.push(template.slice(end, match.index));
    const [whole, variable = '', list = variable, fresh = '', form = 'text'] = match;
    const capital = /^[A-Z]/.test(form);
    pieces.push({ variable, list, fresh: fresh === '!', form: form.toLowerCase(), capital });
    end = match.index + whole.length;
  }
  if (end < template.length) pieces.push(template.slice(end));
  parsed.set(template, pieces);
  return pieces;
}

/** One document being written. */
export class Page {
  text = '';
  readonly chooser: Chooser;
  private readonly remembered = new Map<string, { readonly list: string; readonly word: Word }>();
  private readonly lastFresh = new Map<string, Word>();

  constructor(chooser: Chooser) {
    this.chooser = chooser;
  }

  /** Tells a part of the grammar: sentences are separated by one space. */
  tell(part: Part): void {
    if (typeof part === 'string') {
      if (this.text !== '') this.write(' ');
      this.fill(part);
    } else if (typeof part === 'function') {
      part(this);
    } else if ('options' in part) {
      this.tellChoice(part);
    } else {
      for (const next of part) this.tell(next);
    }
  }

  /** A whole number from `least` to `most`, all equally likely. */
  number(least: number, most: number): number {
    return least + this.chooser.choose(most - least + 1);
  }

  /** Fixes what `{variable}` says, for numbers that were worked out. */
  remember(variable: string, word: Word): void {
    this.remembered.set(variable, { list: '', word });
  }

  write(text: string): void {
    this.text += text;
    this.chooser.wrote(this.text);
  }

  private tellChoice(choice: Choice): void {
    const left = [...choice.options];
    const count = choice.most > choice.least ? this.number(choice.least, choice.most) : choice.least;
    for (let i = 0; i < count; i++) {
      const [part] = left.splice(this.chooser.choose(left.length, choice.weights), 1);
      if (part !== undefined) this.tell(part);
    }
  }

  private fill(template: string): void {
    for (const piece of parse(template)) {
      if (typeof piece === 'string') {
        this.write(piece);
      } else {
        const word = this.wordFor(piece);
        const form = typeof word === 'string' ? word : word[piece.form];
        if (form === undefined) throw new Error(`no form "${piece.form}" of {${piece.variable}} in "${template}"`);
        this.write(piece.capital ? form.charAt(0).toUpperCase() + form.slice(1) : form);
      }
    }
  }

  private wordFor(slot: Slot): Word {
    const known = this.remembered.get(slot.variable);
    if (known !== undefined && !slot.fresh) return known.word;
    const used = new Set<Word | undefined>([slot.fresh ? this.lastFresh.get(slot.list) : undefined]);
    for (const { list, word } of this.remembered.values()) if (list === slot.list) used.add(word);
    const words = lexicon[slot.list]?.filter((word) => !used.has(word)) ?? [];
    const word = words[this.chooser.choose(words.length)];
    if (word === undefined) throw new Error(`nothing left to draw from the list "${slot.list}"`);
    if (slot.fresh) this.lastFresh.set(slot.list, word);
    else this.remembered.set(slot.variable, { list: slot.list, word });
    return word;
  }
}
