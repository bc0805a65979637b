import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { text } from '../text.ts';
import { count, short } from '../ui/format.ts';
import { HeatMap } from '../ui/heat-map.tsx';
import { Top } from '../ui/top.tsx';
import {
  aftConvWeights,
  aftFullWeights,
  aftLocalWeights,
  aftSimpleWeights,
  chunked,
  convolution,
  examples,
  largestDifference,
  parallel,
  recurrent,
  rwkvWeights,
  softmaxWeights,
} from './family.ts';

const words = text.ideas;
/** Channels of a model that the costs are told for. */
const WIDTH = 1024;
const HEAD = 64;

/** The family in one page: each step takes something away from attention, until an RNN is left. */
export function Ideas() {
  const length = useSignal(32);
  const decay = useSignal(0.15);
  const bonus = useSignal(1);
  const window = useSignal(8);
  const T = length.value;
  const { keys, values, members } = useMemo(
    () => family({ length: T, window: window.value, decay: decay.value, bonus: bonus.value }),
    [T, window.value, decay.value, bonus.value],
  );
  return (
    <>
      <Top current="ideas" />
      <main id="main" class="essay" tabIndex={-1}>
        <header class="intro">
          <h1>{words.title}</h1>
          <p>{words.intro}</p>
        </header>
        <form class="knobs" aria-label={words.knobs} onSubmit={(event) => event.preventDefault()}>
          <Knob label={words.length} value={length} min={4} max={96} step={1} />
          <Knob label={words.window} value={window} min={1} max={32} step={1} />
          <Knob label={words.decay} value={decay} min={0} max={1} step={0.01} />
          <Knob label={words.bonus} value={bonus} min={-2} max={4} step={0.1} />
        </form>
        {members.map(({ name, weights, learned, kept }, i) => (
          <article class="card step" key={name}>
            <div class="told">
              <h2>
                <span class="ordinal">{i + 1}</span> {words.members[name].title}
              </h2>
              <code class="formula">{words.members[name].formula}</code>
              <p>{words.members[name].about}</p>
              <dl class="facts">
                <div>
                  <dt>{words.learned}</dt>
                  <dd>{learned}</dd>
                </div>
                <div>
                  <dt>{words.kept}</dt>
                  <dd>{kept}</dd>
                </div>
              </dl>
            </div>
            <HeatMap
              data={weights}
              rows={T}
              columns={T}
              label={words.map(words.members[name].title, T)}
              tell={(t, j, value) => (j > t ? text.inside.future : words.tell(t + 1, j + 1, short(value)))}
            />
          </article>
        ))}
        <Four keys={keys} values={values} decay={decay.value} bonus={bonus.value} />
        <article class="card">
          <h2>{words.after.title}</h2>
          {words.after.paragraphs.map((paragraph) => (
            <p key={paragraph}>{paragraph}</p>
          ))}
          <p>
            <a href="./#inside">{words.after.link}</a>
          </p>
        </article>
      </main>
    </>
  );
}

interface FamilySettings {
  readonly length: number;
  readonly window: number;
  readonly decay: number;
  readonly bonus: number;
}

type MemberName = keyof typeof words.members;

interface Member {
  readonly name: MemberName;
  readonly weights: Float64Array;
  /** What says how places weigh. */
  readonly learned: string;
  /** What is kept of a text of this length, to read one token more. */
  readonly kept: string;
}

function family({ length, window, decay, bonus }: FamilySettings) {
  const keys = examples(length, 3, (x) => 1.5 * x);
  const queries = examples(length, 5, (x) => 2 * x);
  const values = examples(length, 7, (x) => x);
  const w = examples(length * length, 11, (x) => 1.2 * x);
  const f = examples(window, 13, (x) => 1.5 * x);
  const cache = words.numbers(count(2 * length * WIDTH));
  const members: readonly Member[] = [
    {
      name: 'softmax',
      weights: softmaxWeights(queries, keys),
      learned: words.pairs(count((length * (length + 1)) / 2)),
      kept: cache,
    },
    { name: 'full', weights: aftFullWeights(keys, w), learned: words.numbers(count(length ** 2)), kept: cache },
    {
      name: 'local',
      weights: aftLocalWeights(keys, w, window),
      learned: words.numbers(count(length * Math.min(window, length))),
      kept: cache,
    },
    {
      name: 'conv',
      weights: aftConvWeights(keys, f),
      learned: words.numbers(count(window)),
      kept: words.numbers(count(2 * Math.min(window, length) * WIDTH + 2 * WIDTH)),
    },
    { name: 'simple', weights: aftSimpleWeights(keys), learned: words.none, kept: words.numbers(count(2 * WIDTH)) },
    {
      name: 'rwkv4',
      weights: rwkvWeights(keys, decay, bonus),
      learned: words.perChannel,
      kept: words.numbers(count(3 * WIDTH)),
    },
  ];
  return { keys, values, members };
}

interface FourProps {
  readonly keys: Float64Array;
  readonly values: Float64Array;
  readonly decay: number;
  readonly bonus: number;
}

/** The identity that RWKV lives by, with its numbers. */
function Four({ keys, values, decay, bonus }: FourProps) {
  const forms = useMemo(() => {
    const reference = parallel(rwkvWeights(keys, decay, bonus), values);
    const made = {
      recurrent: recurrent(keys, values, decay, bonus),
      convolution: convolution(keys, values, decay, bonus),
      chunked: chunked(keys, values, decay, bonus, 16),
    };
    return (['recurrent', 'convolution', 'chunked'] as const).map((name) => ({
      ...words.forms[name],
      last: made[name].at(-1) ?? 0,
      difference: largestDifference(made[name], reference),
    }));
  }, [keys, values, decay, bonus]);
  const last = parallel(rwkvWeights(keys, decay, bonus), values).at(-1) ?? 0;
  return (
    <article class="card four">
      <h2>{words.four}</h2>
      <p>{words.fourAbout}</p>
      <table class="numbers">
        <thead>
          <tr>
            <th scope="col">{words.form}</th>
            <th scope="col">{words.work}</th>
            <th scope="col">{words.last}</th>
            <th scope="col">{words.difference}</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">{words.forms.parallel.name}</th>
            <td>{words.forms.parallel.work}</td>
            <td>{last.toFixed(9)}</td>
            <td>–</td>
          </tr>
          {forms.map(({ name, work, last: value, difference }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{work}</td>
              <td>{value.toFixed(9)}</td>
              <td class="difference">{difference.toExponential(1)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="hint">{words.heads(HEAD, count(HEAD * HEAD))}</p>
    </article>
  );
}

interface KnobProps {
  readonly label: string;
  readonly value: { value: number };
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

function Knob({ label, value, ...range }: KnobProps) {
  return (
    <label class="range">
      <span>{label}</span>
      <span class="number">{value.value}</span>
      <input
        type="range"
        {...range}
        value={value.value}
        onInput={({ currentTarget }) => {
          value.value = Number(currentTarget.value);
        }}
      />
    </label>
  );
}
