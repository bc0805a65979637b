import { describe, expect, test } from 'vitest';
import { corpusOf, VOCABULARY } from '../src/triangle/corpus.ts';
import { scoreOf } from '../src/triangle/score.ts';
import { addition } from '../src/triangle/tasks/addition.ts';
import { copying } from '../src/triangle/tasks/copying.ts';
import { dyck } from '../src/triangle/tasks/dyck.ts';
import { TASKS } from '../src/triangle/tasks/index.ts';
import { recall } from '../src/triangle/tasks/recall.ts';
import { storiesOf } from '../src/triangle/tasks/stories.ts';
import { type Document, drawn, type Task } from '../src/triangle/tasks/task.ts';

const COUNT = 300;

function some(task: Task, seed = 1): Document[] {
  const found: Document[] = [];
  for (const document of task.documents(seed, 0)) if (found.push(document) === COUNT) break;
  return found;
}

function answersOf({ text, answers }: Document): string[] {
  return answers.map(({ start, end }) => text.slice(start, end));
}

describe.each([recall, copying, dyck, addition])('$name', (task) => {
  test('is its seed, and nothing else', () => {
    expect(some(task)).toEqual(some(task));
    expect(some(task, 2)).not.toEqual(some(task));
  });

  test('is ASCII that ends its line, with answers inside, one after the other', () => {
    for (const { text, answers } of some(task)) {
      expect(text).toMatch(/^[ -~]+\n$/);
      let end = 1;
      for (const answer of answers) {
        expect(answer.start).toBeGreaterThanOrEqual(end);
        expect(answer.end).toBeGreaterThan(answer.start);
        expect(answer.chance).toBeGreaterThan(0);
        expect(answer.chance).toBeLessThanOrEqual(0.5);
        end = answer.end;
      }
      expect(end).toBeLessThanOrEqual(text.length);
      expect(answers.length).toBeGreaterThan(0);
    }
  });
});

test('recall: every answer is the value that was shown with its key', () => {
  for (const document of some(recall)) {
    const [shown = '', asked = ''] = document.text.trim().split(':');
    const pairs = new Map(shown.match(/../g)?.map((pair) => [pair[0], pair[1]]));
    expect(2 * pairs.size).toBe(shown.length);
    expect(new Set(pairs.values()).size).toBe(pairs.size);
    expect(answersOf(document).join('')).toBe(asked.replace(/[a-z]/g, ''));
    for (const [key, value] of asked.match(/../g) ?? []) expect(value).toBe(pairs.get(key));
    for (const { chance } of document.answers) expect(chance).toBe(1 / pairs.size);
  }
});

test('copying: the answer is the string before the colon, no letter of which comes twice', () => {
  for (const document of some(copying)) {
    const [letters = ''] = document.text.split(':');
    expect(new Set(letters).size).toBe(letters.length);
    expect(answersOf(document)).toEqual([letters]);
  }
});

test('addition: the answer is the sum, read backwards', () => {
  for (const document of some(addition)) {
    const [, a, b] = /^(\d{3})\+(\d{3})=/.exec(document.text) ?? [];
    const [answer = ''] = answersOf(document);
    expect(Number([...answer].toReversed().join(''))).toBe(Number(a) + Number(b));
    expect(answer).toHaveLength(4);
  }
});

test('dyck: with its answer the beginning is balanced, and closes nothing that is not open', () => {
  for (const document of some(dyck)) {
    const [beginning = ''] = document.text.split('|');
    const [answer = ''] = answersOf(document);
    let word = beginning + answer.trim();
    while (/\(\)|\[\]|\{\}|<>/.test(word)) word = word.replace(/\(\)|\[\]|\{\}|<>/g, '');
    expect(word).toBe('');
    expect(answer).toMatch(/^[)\]}>]+\n$/);
    expect(document.answers[0]?.chance).toBe(4 ** -(answer.length - 1));
  }
});

test('stories: the sheets of sums are left out, every character but the first is an answer', () => {
  const corpus = 'Mia ran.\u00001 + 2 = 3\u0000Tom sat.\u0000';
  const found = [...storiesOf(corpus)];
  expect(found.map(({ text }) => text)).toEqual(['Mia ran.\0', 'Tom sat.\0']);
  expect(answersOf(found[0] ?? { text: '', answers: [] }).join('')).toBe('ia ran.\0');
  // Of the 18 characters `a` is 3.
  expect(found[0]?.answers[0]?.chance).toBeCloseTo(3 / 18, 12);
});

test.each(TASKS)('a corpus of $name: whole texts, answers where they are said to be', (task) => {
  const [texts, length] = [20, 64];
  const { tokens, counts, answers } = corpusOf(task, 1, texts, length);
  expect(tokens).toHaveLength(texts * length + 1);
  expect(Math.max(...tokens)).toBeLessThan(VOCABULARY);
  const marked = new Uint8Array(tokens.length);
  for (const { start, end } of answers) marked.fill(1, start, end);
  expect(counts).toEqual(marked);
  expect(answers.length).toBeGreaterThan(texts / 2);
  if (task.name === 'stories') return;
  for (const { start, end } of answers) expect(Math.floor(start / length)).toBe(Math.floor((end - 1) / length));
  const text = (i: number): string => String.fromCharCode(...tokens.subarray(i * length, (i + 1) * length));
  const first = some(task)[0]?.text ?? '?';
  expect(text(0).startsWith(first)).toBe(true);
});

test('a document that does not fit any more begins the next text', () => {
  const task: Task = {
    ...{ name: 'x', about: '', guess: '' },
    documents: drawn(() => ({ text: 'ab:cd\n', answers: [{ start: 3, end: 5, chance: 0.5 }] })),
  };
  const { tokens, answers } = corpusOf(task, 1, 2, 8);
  expect(String.fromCharCode(...tokens)).toBe('ab:cd\n\n\nab:cd\n\n\n\n');
  expect(answers.map(({ start }) => start)).toEqual([3, 11]);
});

test('a finite task with too little of it says so', () => {
  const task: Task = { name: 'x', about: '', guess: '', documents: () => [{ text: 'ab', answers: [] }] };
  expect(() => corpusOf(task, 1, 1, 8)).toThrow(/x has 2 tokens of 8/);
});

test('a score: answers as a whole, tokens of answers, nothing else', () => {
  const corpus = {
    tokens: Uint8Array.of(1, 2, 3, 4, 5, 6, 7),
    counts: Uint8Array.of(0, 0, 1, 1, 0, 1, 0),
    answers: [
      { start: 2, end: 4, chance: 0.25 },
      { start: 5, end: 6, chance: 0.5 },
    ],
  };
  const losses = Float64Array.of(9, 0.5, 1, 9, 1.5, 9);
  const score = (...next: number[]) => scoreOf(corpus, { next: Int32Array.from(next), losses });
  expect(score(0, 3, 4, 0, 6, 0)).toEqual({ loss: 1, exact: 1, tokens: 1, answers: 2, chance: 0.375 });
  expect(score(0, 3, 9, 0, 6, 0)).toMatchObject({ exact: 0.5, tokens: 2 / 3 });
  expect(score(0, 3, 9, 0, 9, 0)).toMatchObject({ exact: 0, tokens: 1 / 3 });
  // What stands outside of answers may be foreseen or not.
  expect(score(2, 3, 4, 5, 6, 7)).toEqual(score(0, 3, 4, 0, 6, 0));
});
