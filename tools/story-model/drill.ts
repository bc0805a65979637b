import { whereStory } from './counting.ts';
import { one, type Part, weighted } from './grammar.ts';
import { story } from './stories.ts';

/**
 * Very short stories in which everything comes again, for a while in the middle of the training.
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

/** Four of five are short. */
export const drill: Part = weighted([4, recall], [1, story]);
