import '../styles/inside.css';
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { halfLives, impliedAttention, softmaxAttention } from '../inside/attention.ts';
import { headCount, headOf, states } from '../inside/layer-memory.ts';
import { model } from '../store/model.ts';
import { fail } from '../store/notices.ts';
import { textTo } from '../store/texts.ts';
import { worker } from '../store/worker.ts';
import { text } from '../text.ts';
import type { TraceResult } from '../worker/protocol.ts';
import { Button } from './button.tsx';
import { Contexts } from './contexts.tsx';
import { bytes, count, short, visible } from './format.ts';
import { HeatMap } from './heat-map.tsx';
import { type Line, Lines } from './lines.tsx';

/** As much of a text as a picture of it can show. */
const MOST_CHARACTERS = 160;

/** What goes on in the memory of a layer while it reads a text. */
export function Inside() {
  const words = useSignal(textTo('write').slice(0, MOST_CHARACTERS) || text.inside.example);
  const layer = useSignal(0);
  const result = useSignal<TraceResult | undefined>(undefined);
  const looking = useSignal(false);
  const look = async (): Promise<void> => {
    if (model.value === undefined || looking.value) return;
    looking.value = true;
    try {
      const given = model.value.hasTokenizer
        ? words.value
        : words.value
            .split(/[\s,]+/)
            .filter(Boolean)
            .map(Number);
      result.value = await worker.call('trace', { text: given, layer: layer.value });
    } catch (error) {
      fail(error);
    } finally {
      looking.value = false;
    }
  };
  useEffect(() => void look(), [layer.value, model.value]);
  return (
    <section class="inside">
      <header class="intro">
        <h1>{text.inside.title}</h1>
        <p>{text.inside.intro}</p>
      </header>
      <form
        class="look"
        onSubmit={(event) => {
          event.preventDefault();
          void look();
        }}
      >
        <label class="field words">
          <span>{text.inside.words}</span>
          <textarea
            rows={2}
            maxLength={400}
            value={words.value}
            onInput={({ currentTarget }) => {
              words.value = currentTarget.value;
            }}
          />
        </label>
        <label class="field">
          <span>{text.inside.layer}</span>
          <select
            value={layer.value}
            onChange={({ currentTarget }) => {
              layer.value = Number(currentTarget.value);
            }}
          >
            {Array.from({ length: model.value?.layers ?? 0 }, (_, i) => (
              <option key={i} value={i}>
                {i + 1}
              </option>
            ))}
          </select>
        </label>
        <Button
          type="submit"
          kind="main"
          label={text.inside.look}
          disabled={model.value === undefined || looking.value}
        />
      </form>
      {result.value && <Pictures key={layer.value} {...result.value} />}
      <Contexts />
    </section>
  );
}

function Pictures({ trace, tokens }: TraceResult) {
  const chosen = useSignal(0);
  const present = useSignal(tokens.length - 1);
  // A text that was looked at anew is shown as it ends.
  useEffect(() => {
    present.value = tokens.length - 1;
  }, [tokens]);
  const heads = headCount(trace);
  const number = Math.min(chosen.value, heads - 1);
  const t = Math.min(present.value, tokens.length - 1);
  const head = useMemo(() => headOf(trace, number), [trace, number]);
  const pictures = useMemo(
    () => ({ implied: impliedAttention(head), softmax: softmaxAttention(head), memory: [...states(head)] }),
    [head],
  );
  const length = tokens.length;
  const state = pictures.memory[t] ?? new Float64Array(0);
  const columns = head.op === 'wkv4' ? Math.ceil(Math.sqrt(head.size)) : head.size;
  const tell = (row: number, column: number, value: number): string =>
    column > row
      ? text.inside.future
      : text.inside.tell(visible(tokens[row] ?? ''), visible(tokens[column] ?? ''), short(value));
  const setPresent = (row: number): void => {
    present.value = row;
  };
  return (
    <>
      <div class="choose">
        {heads > 1 && (
          <label class="field">
            <span>{text.inside.head}</span>
            <select
              value={number}
              onChange={({ currentTarget }) => {
                chosen.value = Number(currentTarget.value);
              }}
            >
              {Array.from({ length: heads }, (_, i) => (
                <option key={i} value={i}>
                  {i + 1}
                </option>
              ))}
            </select>
          </label>
        )}
        <Player length={length} t={t} onChange={setPresent} />
      </div>
      <Strip
        tokens={tokens}
        t={t}
        row={pictures.implied.subarray(t * length, (t + 1) * length)}
        onChoose={setPresent}
      />
      <div class="pair">
        <article>
          <h2>{text.inside.implied}</h2>
          <p class="hint">{text.inside.impliedHint}</p>
          <HeatMap
            data={pictures.implied}
            rows={length}
            columns={length}
            row={t}
            tell={tell}
            onRow={setPresent}
            label={text.inside.impliedLabel(length)}
          />
          <p class="figures">{text.inside.impliedCost(count(head.op === 'wkv4' ? 3 * head.size : head.size ** 2))}</p>
        </article>
        <article>
          <h2>{text.inside.softmax}</h2>
          <p class="hint">{text.inside.softmaxHint}</p>
          <HeatMap
            data={pictures.softmax}
            rows={length}
            columns={length}
            row={t}
            tell={tell}
            onRow={setPresent}
            label={text.inside.softmaxLabel(length)}
          />
          <p class="figures">
            {text.inside.softmaxCost(count((length * (length + 1)) / 2), count(2 * length * head.size))}
          </p>
        </article>
      </div>
      <div class="pair">
        <article>
          <h2>{text.inside.state}</h2>
          <p class="hint">{head.op === 'wkv4' ? text.inside.state4Hint : text.inside.stateHint}</p>
          <HeatMap
            data={state}
            rows={Math.ceil(state.length / columns)}
            columns={columns}
            tell={(row, column, value) => text.inside.tellState(row, column, short(value))}
            label={text.inside.stateLabel(visible(tokens[t] ?? ''), bytes(state.length * 4))}
          />
        </article>
        <article>
          <h2>{text.inside.decay}</h2>
          <p class="hint">{text.inside.decayHint}</p>
          <Decays trace={trace} />
        </article>
      </div>
    </>
  );
}

/** Walks through the text, token by token. */
function Player({
  length,
  t,
  onChange,
}: {
  readonly length: number;
  readonly t: number;
  readonly onChange: (t: number) => void;
}) {
  const playing = useSignal(false);
  useEffect(() => {
    if (!playing.value) return;
    const timer = setTimeout(() => {
      if (t + 1 < length) onChange(t + 1);
      else playing.value = false;
    }, 70);
    return () => clearTimeout(timer);
  }, [playing.value, t, length, onChange, playing]);
  return (
    <div class="player">
      <Button
        icon={playing.value ? 'pause' : 'play'}
        iconOnly
        label={playing.value ? text.inside.pause : text.inside.play}
        onClick={() => {
          if (!playing.value && t === length - 1) onChange(0);
          playing.value = !playing.value;
        }}
      />
      <label class="field">
        <span>{text.inside.present(t + 1, length)}</span>
        <input
          type="range"
          min={0}
          max={length - 1}
          value={t}
          onInput={({ currentTarget }) => onChange(Number(currentTarget.value))}
        />
      </label>
    </div>
  );
}

interface StripProps {
  readonly tokens: readonly string[];
  readonly t: number;
  /** How much each token counts for token `t`. */
  readonly row: Float64Array;
  readonly onChoose: (t: number) => void;
}

/** The text itself, each token as strong as it still counts. */
function Strip({ tokens, t, row, onChoose }: StripProps) {
  const most = row.reduce((all, x) => Math.max(all, Math.abs(x)), 1e-12);
  return (
    <p class="strip">
      {tokens.map((token, i) => {
        const value = i <= t ? (row[i] ?? 0) : 0;
        return (
          <span
            key={i}
            class={i === t ? 'now' : i > t ? 'later' : ''}
            style={{
              '--share': Math.sqrt(Math.abs(value) / most).toFixed(3),
              '--hue': value < 0 ? 'var(--warm)' : 'var(--accent)',
            }}
            onPointerDown={() => onChoose(i)}
          >
            {token === '\n' ? '⏎\n' : token}
          </span>
        );
      })}
    </p>
  );
}

const COLOURS = ['--accent', '--warm', '--ink-soft', '--danger'];

function Decays({ trace }: { readonly trace: TraceResult['trace'] }) {
  const { x, lines } = useMemo(() => {
    const lives = Array.from({ length: headCount(trace) }, (_, head) => halfLives(headOf(trace, head)));
    const shown: Line[] = lives.map((values, i) => ({
      ...{ name: text.inside.headName(i + 1), values: [...values] },
      colour: COLOURS[i % COLOURS.length] ?? '--accent',
    }));
    return { x: Array.from({ length: lives[0]?.length ?? 0 }, (_, i) => i + 1), lines: shown };
  }, [trace]);
  return (
    <Lines
      x={x}
      lines={lines}
      xLabel={text.inside.channel}
      yLabel={text.inside.halfLife}
      logY
      yText={short}
      label={text.inside.decayLabel}
    />
  );
}
