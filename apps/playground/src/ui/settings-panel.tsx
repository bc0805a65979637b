import { change, DEFAULTS, type Settings, settings, showsProbabilities } from '../store/settings.ts';
import { text } from '../text.ts';
import { Button } from './button.tsx';

type Slider = Exclude<keyof Settings, 'greedy' | 'seed' | 'probabilities' | 'keepTexts'>;

const SLIDERS: readonly (readonly [Slider, { readonly min: number; readonly max: number; readonly step: number }])[] = [
  ['temperature', { min: 0, max: 2, step: 0.05 }],
  ['topP', { min: 0.05, max: 1, step: 0.05 }],
  ['topK', { min: 0, max: 200, step: 1 }],
  ['minP', { min: 0, max: 0.5, step: 0.01 }],
];

const PENALTIES: typeof SLIDERS = [
  ['presencePenalty', { min: 0, max: 2, step: 0.05 }],
  ['frequencyPenalty', { min: 0, max: 2, step: 0.05 }],
  ['repetitionPenalty', { min: 0.8, max: 2, step: 0.01 }],
  ['penaltyDecay', { min: 0.9, max: 1, step: 0.001 }],
];

/** How the next token is chosen. */
export function SettingsPanel() {
  const { greedy, seed, keepTexts } = settings.value;
  return (
    <form class="settings" aria-label={text.settings.title} onSubmit={(event) => event.preventDefault()}>
      <h2>{text.settings.title}</h2>
      <Check name="greedy" checked={greedy} />
      <fieldset disabled={greedy}>
        <legend>{text.settings.drawing}</legend>
        {SLIDERS.map(([name, range]) => (
          <Range key={name} name={name} {...range} />
        ))}
      </fieldset>
      <details>
        <summary>{text.settings.penalties}</summary>
        <fieldset disabled={greedy}>
          <legend class="unseen">{text.settings.penalties}</legend>
          {PENALTIES.map(([name, range]) => (
            <Range key={name} name={name} {...range} />
          ))}
        </fieldset>
      </details>
      <fieldset>
        <legend>{text.settings.text}</legend>
        <Range name="maxTokens" min={1} max={4000} step={1} />
        <label class="field">
          <span>{text.settings.names.seed}</span>
          <input
            type="number"
            min={0}
            step={1}
            placeholder={text.settings.anySeed}
            value={seed ?? ''}
            onInput={({ currentTarget: { value } }) =>
              change({ seed: value === '' ? undefined : Math.max(0, Math.floor(Number(value))) })
            }
          />
        </label>
        <Check name="probabilities" checked={showsProbabilities.value} />
      </fieldset>
      <Button label={text.settings.reset} kind="quiet" onClick={() => change({ ...DEFAULTS, keepTexts })} />
    </form>
  );
}

function Check({ name, checked }: { readonly name: 'greedy' | 'probabilities'; readonly checked: boolean }) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={checked}
        onChange={({ currentTarget }) => change({ [name]: currentTarget.checked })}
      />
      <span>{text.settings.names[name]}</span>
    </label>
  );
}

interface RangeProps {
  readonly name: Slider;
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

function Range({ name, min, max, step }: RangeProps) {
  const value = settings.value[name];
  return (
    <label class="range" title={text.settings.about[name]}>
      <span>{text.settings.names[name]}</span>
      <span class="number">{value}</span>
      <input
        type="range"
        {...{ min, max, step, value }}
        onInput={({ currentTarget }) => change({ [name]: Number(currentTarget.value) })}
      />
    </label>
  );
}
