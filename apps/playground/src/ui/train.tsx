import '../styles/inside.css';
import { useMemo } from 'preact/hooks';
import { model } from '../store/model.ts';
import { saveFile } from '../store/save-file.ts';
import {
  choice,
  hasTraining,
  isDone,
  isTraining,
  pause,
  steps,
  type TrainChoice,
  train,
  trainedFile,
  writeWithIt,
} from '../store/training.ts';
import { text } from '../text.ts';
import type { TrainKind } from '../worker/protocol.ts';
import { Button } from './button.tsx';
import { FileButton } from './file-button.tsx';
import { bytes, count, short } from './format.ts';
import { Lines } from './lines.tsx';

const words = text.train;
const KINDS: readonly TrainKind[] = ['new', 'state', 'full'];

function change(more: Partial<TrainChoice>): void {
  choice.value = { ...choice.value, ...more };
}

/** A text is learned, here and now. */
export function Train() {
  const { what, layers, width } = choice.value;
  return (
    <section class="inside">
      <header class="intro">
        <h1>{words.title}</h1>
        <p>{words.intro}</p>
      </header>
      <form
        class="training"
        onSubmit={(event) => {
          event.preventDefault();
          void train(true);
        }}
      >
        <label class="field">
          <span>{words.text}</span>
          <textarea
            rows={6}
            value={choice.value.text}
            disabled={isTraining.value}
            onInput={({ currentTarget }) => change({ text: currentTarget.value })}
          />
        </label>
        <div class="actions">
          <FileButton
            icon="open"
            label={words.file}
            accept=".txt,.md,.json,.csv,text/*"
            disabled={isTraining.value}
            onFiles={([file]) => void file?.text().then((read) => change({ text: read }))}
          />
          <span class="hint">{words.size(bytes(choice.value.text.length))}</span>
        </div>
        <fieldset disabled={isTraining.value}>
          <legend>{words.what}</legend>
          {KINDS.map((kind) => (
            <label class="check" key={kind}>
              <input
                type="radio"
                name="what"
                checked={what === kind}
                disabled={kind !== 'new' && model.value === undefined}
                onChange={() => change({ what: kind })}
              />
              <span>{words.kinds[kind]}</span>
            </label>
          ))}
        </fieldset>
        <fieldset class="knobs-row" disabled={isTraining.value}>
          <legend class="unseen">{words.steps}</legend>
          {what === 'new' && (
            <Choose
              label={words.layers}
              value={layers}
              of={[1, 2, 3, 4, 6]}
              onChange={(value) => change({ layers: value })}
            />
          )}
          {what === 'new' && (
            <Choose
              label={words.width}
              value={width}
              of={[32, 64, 96, 128, 192]}
              onChange={(value) => change({ width: value })}
            />
          )}
          <Choose
            label={words.steps}
            value={choice.value.steps}
            of={[20, 100, 300, 1000, 3000]}
            onChange={(value) => change({ steps: value })}
          />
        </fieldset>
        <Controls />
      </form>
      {(hasTraining.value || isTraining.value) && <Course />}
    </section>
  );
}

interface ChooseProps {
  readonly label: string;
  readonly value: number;
  readonly of: readonly number[];
  readonly onChange: (value: number) => void;
}

function Choose({ label, value, of, onChange }: ChooseProps) {
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={({ currentTarget }) => onChange(Number(currentTarget.value))}>
        {of.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    </label>
  );
}

function Controls() {
  if (isTraining.value) {
    return (
      <div class="actions">
        <Button icon="pause" kind="main" label={words.pause} onClick={pause} />
      </div>
    );
  }
  const isPaused = hasTraining.value && !isDone.value;
  return (
    <div class="actions">
      {isPaused && <Button icon="play" kind="main" label={words.goOn} onClick={() => void train(false)} />}
      <Button
        type="submit"
        icon="play"
        kind={isPaused ? 'plain' : 'main'}
        label={hasTraining.value ? words.again : words.start}
      />
      {hasTraining.value && (
        <>
          <Button
            icon="save"
            label={words.download}
            onClick={() => void trainedFile().then((file) => file && saveFile(file.name, file))}
          />
          <Button icon="write" label={words.use} onClick={() => void writeWithIt()} />
        </>
      )}
    </div>
  );
}

function Course() {
  const all = steps.value;
  const last = all.at(-1);
  const { x, lines } = useMemo(
    () => ({
      x: all.map(({ step }) => step),
      lines: [{ name: words.loss, values: all.map(({ loss }) => loss), colour: '--accent' }],
    }),
    [all],
  );
  return (
    <article>
      <p role="status" class="number">
        {last === undefined
          ? words.preparing
          : words.status(count(last.step), count(last.steps), last.loss.toFixed(3), short(last.tokensPerSecond))}
      </p>
      {all.length > 1 && (
        <Lines x={x} lines={lines} xLabel={words.step} yLabel={words.loss} yText={short} label={words.chart} />
      )}
    </article>
  );
}
