import type { Word } from './grammar.ts';

function girl(text: string): Word {
  return { text, child: 'girl', he: 'she', him: 'her', his: 'her' };
}

function boy(text: string): Word {
  return { text, child: 'boy', he: 'he', him: 'him', his: 'his' };
}

/** A noun and its plural, "berry/berries", or with an s: "apple". */
function noun(entry: string): Word {
  const [text = entry, many = `${text}s`] = entry.split('/');
  return { text, many };
}

function words(list: string): string[] {
  return list.split(' ');
}

/** The word lists, by the name a template uses. No word of a list begins with another whole word of it: a text can be read in one way only. */
export const lexicon: Readonly<Record<string, readonly Word[]>> = {
  name: [
    ...words('Mia Lily Anna Rosie Zoe Ella Nora Ivy Daisy Poppy Hazel Ruby Clara Fern June Vera').map(girl),
    ...words('Tom Ben Max Sam Leo Finn Jack Oscar Hugo Toby Kit Will Dan Paul Gus Ned').map(boy),
  ],
  creature: words(
    'fox rabbit bear mouse duck owl hedgehog kitten puppy frog squirrel turtle badger otter lamb penguin pig wolf hen donkey seal robin goose dragon',
  ),
  size: words(
    'little small tiny brave kind clever funny shy happy curious gentle merry young quick quiet jolly sleepy polite silly bold neat lucky wise hungry',
  ),
  colour: words('red blue green yellow pink white brown golden purple silver black grey spotted striped shiny new'),
  toy: words(
    'ball kite boat drum hat doll cup book bell scarf lamp train key box ring shell flute top wagon whistle mask map pen rope crown spoon clock puppet sled horn fan vase',
  ),
  place: words(
    'garden forest park meadow beach river farm village lake market castle mill bridge barn hill pond cave school tower harbour field orchard shop station well island zoo bakery valley desert stable library',
  ),
  time: words('morning day evening afternoon night Sunday Monday Friday Tuesday Saturday winter summer'),
  weather: words('sunny rainy windy snowy foggy cold warm bright cloudy quiet lovely frosty stormy long fine grey'),
  hobby: words(
    'sing dance draw swim climb read cook run jump count paint hide help build knit fish sleep laugh play whistle bake skate ride dig',
  ),
  mood: words('happy proud glad excited cheerful pleased joyful thankful calm merry cosy lucky'),
  gloom: words('sad worried scared upset lonely tired cross afraid hungry cold sorry shy'),
  under: words('under behind beside near above below inside by'),
  spot: words(
    'bench tree rock bush leaf log gate wall roof fence chair table bed rug door stone nest cart ladder tent stove pillow shelf window hedge path',
  ),
  food: words(
    'apple pear plum cookie carrot cake nut bun egg cherry/cherries peach/peaches berry/berries pie tart roll fig bean bagel potato/potatoes waffle muffin radish/radishes lemon grape',
  ).map(noun),
  thing: words(
    'button stone marble flower feather coin sticker balloon pencil block star leaf/leaves shell bead card nail stamp acorn candle ribbon twig peg pebble jewel',
  ).map(noun),
  container: words('basket drawer bag pot chest cupboard bucket jar tin sack crate bowl'),
  taste: words('sweet warm tasty fresh big soft round yummy juicy crunchy ripe hot sour salty fat good'),
  sound: words('laughed smiled sang clapped waved danced cheered giggled nodded whistled jumped hummed'),
  move: words('ran walked skipped hopped went raced danced tiptoed rushed strolled marched wandered'),
  how: words('slowly quickly softly loudly gladly sadly bravely shyly kindly merrily gently proudly'),
  elder: words('mother father grandma grandpa aunt uncle sister brother'),
  dream: words('moon sea sun rain snow wind sky circus stars clouds mountains ocean'),
  animal: words(
    'bird cat dog goat pony snail bee crow cow swan beetle mole ant worm fish sheep lizard parrot camel toad spider deer moth crab',
  ),
  body: words('leg foot wing tail nose ear back paw'),
  clothes: words('coat boots gloves sweater cape socks cap mittens shirt vest shoes jacket'),
  drink: words('milk cocoa tea soup juice water lemonade cider'),
  number: words('two three four five six seven eight nine ten twelve'),
};
