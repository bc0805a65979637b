import { after, countingStory, whereStory } from './counting.ts';
import type { Part } from './grammar.ts';
import { maybe, one, some, weighted } from './grammar.ts';

/** Who it is about. Binds `hero`. */
const opening: Part = [
  weighted(
    [4, 'Once upon a time, there was a {size!} {hero:name.child} named {hero}.'],
    [4, 'Once upon a time, there was a {size!} {creature} named {hero:name}.'],
    [3, 'Once upon a time, a {size!} {creature} named {hero:name} lived {under!} the {place!}.'],
    [2, '{hero:name} was a {size!} {creature}.'],
    [2, '{hero:name} was a {size!} {hero.child} with a {colour!} {clothes!}.'],
    [1, 'There once was a {size!} {creature} called {hero:name}.'],
  ),
  some(
    0,
    2,
    '{hero.He} loved to {hobby!} and {hobby!}.',
    '{hero.He} lived with {hero.his} {size!} {elder!}.',
    '{hero.He} was {mood!} and {size!}.',
    '{hero.He} had a {colour!} {toy!} and {number!} {colour!} {thing!.many}.',
  ),
];

const setting = one(
  'One {weather!} {time!}, {hero} {move!} to the {place}.',
  'One {weather!} {time!}, {hero} {move!} {how!} to the {place} for some {food!.many}.',
  'It was a {weather!} {time!}, and {hero} {move!} to the {place}.',
  'One {time!}, {hero} and {hero.his} {elder!} {move!} to the {place}.',
  'On a {weather!} {time!}, {hero} went to the {place} to {hobby!}.',
);

/** What may be seen on the way: little lists, all open choices. */
const sights: Part = one(
  '{hero} saw a {colour!} {animal!}, a {size!} {animal!} and a {size!} {creature!}.',
  '{hero} had {number!} {food!.many}, a {colour!} {toy!} and some {drink!}.',
  'A {colour!} {animal!} {sound!} {under!} a {colour!} {spot!}.',
  '{hero} {sound!} and {move!} {how!} to the {spot!}.',
  'There was a {toy!} {under!} the {spot!} and a {thing!} {under!} the {spot!}.',
);

/** Sentences that end any story with a friend in it. */
const ending: Part = [
  some(
    0,
    2,
    '{hero} felt {mood!} and {mood!}.',
    'Then {hero} {move!} home and had {drink!} and a {taste!} {food!}.',
    'That night, {hero} dreamed of the {dream!}.',
    'They {sound!} {how!} all the way home.',
    '{hero.He} told {hero.his} {elder!} about the {size!} {animal!}.',
  ),
  one(
    'The end.',
    'From that day on, {hero} and {friend:name} were {mood!} friends.',
    '"I am so {mood!}!" said {hero} {how!}.',
    'It was the best day of all.',
    'Good night, {size!} {hero}.',
    'And {friend:name} {sound!} {how!}.',
  ),
];

const meeting = one(
  '{hero.He} met {friend:name} the {size!} {creature!}.',
  'There {hero.he} saw {friend:name} {under!} a {spot!}.',
  'A {size!} {animal!} named {friend:name} came by.',
  'Along came {friend:name} with a {toy!} and a {taste!} {food!}.',
);

/** A toy is lost, looked for and found. */
const lostToy: Part = [
  one(
    '{hero} had a {colour} {toy}.',
    '{hero.His} {elder!} gave {hero.him} a {colour} {toy}.',
    'Most of all, {hero} liked {hero.his} {colour} {toy}.',
  ),
  setting,
  one(
    'But the {toy} was gone!',
    'Oh no! Where was the {toy}?',
    'But the wind blew the {toy} away.',
    'A {size!} {animal!} took the {toy} and {move!} off.',
  ),
  maybe('{hero} was {gloom!} and {gloom!}.'),
  some(
    1,
    2,
    '{hero.He} looked {under!} a {spot!} and {under!} a {colour!} {spot!}.',
    '{hero.He} asked a {size!} {animal!}, who {sound!} {how!}.',
    '{hero.He} found a {thing!}, a {thing!} and a {colour!} {toy!}.',
  ),
  meeting,
  one(
    [
      '"Why are you so {gloom!}?" asked {friend}.',
      one('"I lost my {toy}," said {hero}.', '"My {colour} {toy} is gone," said {hero}.'),
    ],
    '"Is it a {colour} {toy}?" asked {friend}.',
    ['"Can I help?" asked {friend}.', '"Help me find my {toy}," said {hero}.'],
  ),
  one(
    '{friend} found it {under!} a {colour!} {spot!}.',
    'And there it was, {under!} the {spot!}!',
    '{friend} had seen it {under!} the {size!} {animal!}.',
  ),
  one(
    '"Thank you, {friend}!" said {hero}.',
    '{hero} {sound!} and gave {friend} a {taste!} {food!}.',
    '{hero} hugged {friend} {how!}.',
  ),
];

/** An animal in need. */
const helping: Part = [
  setting,
  maybe(sights),
  one(
    'There {hero.he} found a {size!} {animal} {under!} a {spot!}.',
    '{hero.He} met a {colour!} {animal} {under!} a {spot!}.',
    '{hero.He} heard a {size!} {animal}.',
  ),
  one(
    'The {animal} had hurt its {body!}.',
    'The {animal} was {gloom!} and {gloom!}.',
    'The {animal} had lost its {colour!} {toy!}.',
    'The {animal} was stuck {under!} a {spot!}.',
  ),
  some(
    1,
    2,
    '"Do not be {gloom!}," said {hero} {how!}.',
    '{hero} gave it a {taste!} {food!} and a {taste!} {food!}.',
    '{hero} gave it {hero.his} {colour!} {clothes!}.',
    '{hero} called {friend:name} the {creature!} to help.',
  ),
  one('Soon the {animal} was {mood!}.', 'The {animal} {sound!} {how!}.', '"Thank you, {hero}," said the {animal}.'),
  some(
    1,
    2,
    'It showed {hero.him} a {colour!} {toy!} {under!} a {spot!}.',
    'It {move!} {how!} home with {hero.him}.',
    '{hero} and the {animal} {move!} around the {place}.',
    '{hero} gave it a {size!} {thing!} and {number!} {food!.many}.',
  ),
  one(
    'The end.',
    '{hero} and the {animal} were {mood!} friends.',
    '"What a {size!} {animal}!" said {hero}.',
    'Good night, {size!} {animal}.',
    '{hero} {sound!} {how!}.',
  ),
];

/** Something new is learned. */
const learning: Part = [
  one(
    '{hero} wanted to {hobby}.',
    '"I want to {hobby}," said {hero} {how!}.',
    'All {time!} long, {hero} wished to {hobby}.',
  ),
  one(
    '"You are too {size!}," said {friend:name}.',
    '"It is not easy to {hobby}," said {friend:name}.',
    '"I can show you," said {friend:name} {how!}.',
    '"Let us go to the {place!}," said {friend:name}.',
  ),
  some(
    1,
    3,
    '{hero} tried on a {weather!} {time!}.',
    '{hero} fell {under!} a {colour!} {spot!}.',
    '{hero.He} tried with a {colour!} {toy!} and {number!} {thing!.many}.',
    '{friend} {sound!} and said, "Try again!"',
    '{hero} was {gloom!} and {gloom!}.',
    '{hero.His} {elder!} gave {hero.him} a {taste!} {food!}.',
    sights,
  ),
  one(
    'One {weather!} {time!}, {hero} could {hobby}!',
    'At last, {hero.he} could {hobby} {how!}.',
    'And then {hero} did it!',
  ),
  one(
    '"Look, {friend}, I can {hobby}!" said {hero}.',
    '{friend} was {mood!} and {sound!}.',
    '"You can {hobby} and {hobby!}!" said {friend}.',
  ),
];

/** A party, presents, something to eat. */
const party: Part = [
  one(
    'One {weather!} {time!}, {hero} had a party {under!} the {spot!}.',
    'It was {hero.his} birthday, and it was {weather!}.',
    '{hero} asked {number!} friends to come to the {place}.',
  ),
  '{friend:name} brought a {colour} {toy}, and {other:name} brought some {taste!} {food.many}.',
  some(
    1,
    3,
    'They ate {food!.many} and {food!.many} and drank {drink!}.',
    '{other} {move!} around the {spot!} in a {colour!} {clothes!}.',
    '{hero} played with the {toy} and {sound!} {how!}.',
    '{friend} told them about the {dream!} and the {size!} {animal!}.',
    'A {colour!} {animal!} looked in and {sound!} {how!}.',
    'They looked for {number!} {thing!.many} {under!} the {spot!}.',
  ),
  one(
    '"Thank you for the {toy}, {friend}," said {hero}.',
    '"I love the {food.many}, {other}," said {hero}.',
    '"This {colour} {toy} is from {friend}," said {hero}.',
  ),
];

/** A day out. */
const outing: Part = [
  one(
    '"Can we go to the {place}?" asked {hero}.',
    '{hero} looked out. It was {weather!}.',
    '"What a {weather!} {time!}!" said {hero}.',
  ),
  one(
    '{hero.He} put on a {colour!} {clothes!} and {move!} out.',
    '"Take your {clothes!}," said {hero.his} {elder!}.',
    '{hero.He} took a {taste!} {food!} and a {colour!} {toy!}.',
  ),
  meeting,
  some(
    2,
    4,
    'They found a {colour!} {thing!} {under!} a {spot!}.',
    'A {colour!} {animal!} {move!} {how!} by.',
    '{hero} made a {size!} {animal!} out of {number!} {thing!.many}.',
    '{hero} hid a {thing!} {under!} the {spot!} and {sound!}.',
    'They ate {number!} {taste!} {food!.many} and drank {drink!}.',
    '"I can see the {place!}," said {friend} {how!}.',
    sights,
  ),
];

/** One whole story. */
export const story: Part = weighted(
  [3, [opening, maybe(sights), lostToy, ending]],
  [3, [opening, helping]],
  [3, [opening, maybe(sights), learning, ending]],
  [2, [opening, party, ending]],
  [2, [opening, outing, ending]],
  [4, [countingStory, after]],
  [3, [whereStory, after]],
);
