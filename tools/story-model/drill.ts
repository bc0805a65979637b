import { whereStory } from './counting.ts';
import { one, type Page, type Part, weighted } from './grammar.ts';
import { story } from './stories.ts';

/** Words of which a story may say one again, by the names of their lists. */
const ECHOED = ['toy', 'colour', 'place', 'animal', 'hobby', 'thing', 'food'] as const;

/**
 * "Mia said: drum red beetle. Tom said: drum red beetle." Saying any word again is learned from these within three hundred steps, and what
 * stories say again comes with it; from stories alone it is learned list by list, and of words that are as good as each other, as toys
 * are, not at all.
 */
function echo(page: Page): void {
  const words = Array.from({ length: page.number(4, 10) }, (_, i) => {
    const list = ECHOED[page.number(0, ECHOED.length - 1)] ?? ECHOED[0];
    return `{${String.fromCharCode(97 + i)}:${list}${list === 'food' ? '.many' : ''}}`;
  });
  for (const speaker of ['hero', 'friend']) {
    page.tell([`{${speaker}:name} said:`, ...words]);
    page.write('.');
  }
}

/**
 * Very short stories in which everything comes again.
 *
 * In whole stories a wish, a toy or an animal comes again three or four times, at distances of fifty to three hundred
 * bytes: recalling them is learned long after everything else. Here they come again at once.
 */
const recall: Part = one(
  [
    one('{hero:name} wanted to {hobby}.', '"I want to {hobby}," said {hero:name} {how!}.'),
    one('"It is not easy to {hobby}," said {friend:name}.', '"I can show you," said {friend:name} {how!}.'),
    one('One {weather!} {time!}, {hero} could {hobby}!', 'At last, {hero.he} could {hobby} {how!}.'),
    one('"Look, {friend}, I can {hobby}!" said {hero}.', '"You can {hobby} and {hobby!}!" said {friend}.'),
  ],
  [
    one('{hero:name} had a {colour} {toy}.', 'Most of all, {hero:name} liked {hero.his} {colour} {toy}.'),
    one('But the {toy} was gone!', 'Oh no! Where was the {toy}?', 'But the wind blew the {toy} away.'),
    one('"I lost my {toy}," said {hero}.', '"My {colour} {toy} is gone," said {hero}.'),
    one('"Is it a {colour} {toy}?" asked {friend:name}.', '"Help me find my {toy}, {friend:name}," said {hero}.'),
  ],
  [
    one('{hero:name} found a {size!} {animal} {under!} a {spot!}.', '{hero:name} heard a {size!} {animal}.'),
    one('The {animal} had hurt its {body!}.', 'The {animal} was {gloom!} and {gloom!}.'),
    one('Soon the {animal} was {mood!}.', 'The {animal} {sound!} {how!}.', '"Thank you, {hero}," said the {animal}.'),
    one('{hero} and the {animal} were {mood!} friends.', 'Good night, {size!} {animal}.'),
  ],
  [
    '{friend:name} brought a {colour} {toy}, and {other:name} brought some {taste!} {food.many}.',
    one(
      '"Thank you for the {toy}, {friend}," said {hero:name}.',
      '"This {colour} {toy} is from {friend}," said {hero:name}.',
    ),
    '"I love the {food.many}, {other}," said {hero}.',
  ],
  [
    'One {weather!} {time!}, {hero:name} {move!} to the {place}.',
    'There {hero.he} met a {colour!} {animal}.',
    '{hero} and the {animal} {move!} around the {place}.',
  ],
  whereStory,
);

/** Most are short. */
export const drill: Part = weighted([6, echo], [4, recall], [1, story]);
