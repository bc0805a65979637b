import type { Page, Part } from './grammar.ts';
import { maybe, one, some } from './grammar.ts';

/** "3 apples", "1 apple": sets what `{n}` and `{n.of}` say about the story's counted things. */
function holds(page: Page, variable: string, count: number): void {
  page.remember(variable, `${count}`);
}

interface Change {
  readonly sign: 1 | -1;
  readonly text: string;
}

const changes: readonly Change[] = [
  { sign: 1, text: '{friend:name} gave {hero.him} {d} more.' },
  { sign: 1, text: '{hero.He} found {d} more {under!} the {spot!}.' },
  { sign: 1, text: 'A {size!} {animal!} brought {d} more.' },
  { sign: 1, text: '{hero.His} {elder!} put {d} more on the {spot!}.' },
  { sign: -1, text: '{hero.He} gave {d} of them to {friend:name}.' },
  { sign: -1, text: '{hero.He} lost {d} of them {under!} the {spot!}.' },
  { sign: -1, text: 'A {colour!} {animal!} took {d} of them.' },
  { sign: -1, text: 'Then {d} of them fell {under!} the {spot!}.' },
];

const gains = changes.filter((change) => change.sign === 1);

/** One thing happens to what the hero holds; afterwards at least two are left. Returns the new count. */
function change(page: Page, held: number): number {
  const possible = held >= 3 ? changes : gains;
  const drawn = possible[page.chooser.choose(possible.length)];
  if (drawn === undefined) throw new Error('no change to draw');
  const amount = page.number(1, drawn.sign === 1 ? 5 : Math.min(5, held - 2));
  holds(page, 'd', amount);
  page.tell(drawn.text);
  return held + drawn.sign * amount;
}

function counted(list: 'food' | 'thing'): Part {
  return (page: Page): void => {
    let held = page.number(2, 9);
    holds(page, 'n', held);
    page.tell(
      one(
        `{hero:name} had {n} {${list}.many} in a {colour!} {container!}.`,
        `One {time!}, {hero:name} found {n} {colour!} {${list}.many}.`,
        `{hero:name} the {size!} {creature} had {n} {${list}.many}.`,
      ),
    );
    const steps = page.number(1, 3);
    for (let i = 0; i < steps; i++) {
      held = change(page, held);
      holds(page, 'n', held);
      if (i < steps - 1) page.tell(maybe(`That made {n} {${list}.many}.`));
    }
    page.tell(
      one(
        `Now {hero} has {n} {${list}.many}.`,
        `How many {${list}.many} does {hero} have now? {hero} has {n} {${list}.many}.`,
        `{hero} counted them: {n} {${list}.many}!`,
      ),
    );
  };
}

function together(list: 'food' | 'thing'): Part {
  return (page: Page): void => {
    const first = page.number(2, 9);
    const second = page.number(2, 9);
    holds(page, 'a', first);
    page.tell(`{hero:name} the {creature!} has {a} {${list}.many}.`);
    holds(page, 'b', second);
    page.tell(`{friend:name} the {creature!} has {b} {${list}.many}.`);
    holds(page, 'n', first + second);
    page.tell(
      one(`Together they have {n} {${list}.many}.`, `They put them all into a {container!}: {n} {${list}.many}.`),
    );
    page.tell(one('How many does {hero} have? {hero} has {a}.', 'How many does {friend} have? {friend} has {b}.', []));
  };
}

/** How these stories go on. */
export const after: Part = some(
  0,
  2,
  '{hero} was {mood!} and {mood!}.',
  '"What {taste!} {food!.many}!" said {hero} {how!}.',
  'Then {hero} {sound!} and {move!} home to the {place!}.',
  'It was a {weather!} {time!}.',
  '{hero} had a {colour!} {container!} and {number!} {colour!} {thing!.many}.',
  'A {size!} {animal!} {sound!} {how!}.',
);

/** A count is kept over a few sentences and told at the end. */
export const countingStory: Part = one(counted('food'), counted('thing'), together('food'), together('thing'));

/** Things are put away, one may be moved, and one of them is asked for. */
export const whereStory: Part = (page: Page): void => {
  page.tell(
    one(
      '{hero:name} and {friend:name} were tidying up.',
      'One {weather!} {time!}, {hero:name} and {friend:name} hid some toys.',
      '{hero:name} played a game with {friend:name}.',
    ),
  );
  page.tell('{hero} put the {colour!} {toy} into the {first:container}.');
  page.tell('{friend} put the {colour!} {second:toy} into the {other:container}.');
  page.tell(
    some(
      0,
      2,
      'Then they drank {drink!}.',
      'A {size!} {animal!} {move!} by and {sound!}.',
      'It was {weather!} out.',
      '{hero} {sound!} {how!}.',
    ),
  );
  const moved = page.chooser.choose(3);
  if (moved === 1) page.tell('Then {friend} moved the {toy} to the {third:container}.');
  if (moved === 2) page.tell('Then {hero} moved the {second} to the {third:container}.');
  const place = moved === 1 ? '{third}' : '{first}';
  const otherPlace = moved === 2 ? '{third}' : '{other}';
  page.tell(
    one(
      [`Where is the {toy}? It is in the ${place}.`, maybe(`And the {second}? It is in the ${otherPlace}.`)],
      [`Where is the {second}? It is in the ${otherPlace}.`, maybe(`And the {toy}? It is in the ${place}.`)],
    ),
  );
};
