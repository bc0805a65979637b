import { useEffect } from 'preact/hooks';
import { examine, model, opening, useBackend, verdicts, wanted } from '../store/model.ts';
import { fail } from '../store/notices.ts';
import { text } from '../text.ts';
import type { BackendWish, Verdict } from '../worker/protocol.ts';
import { milliseconds } from './format.ts';

const WISHES: readonly BackendWish[] = ['auto', 'wasm', 'webgpu', 'reference'];

/** What runs the model: each with what the self-test found on this machine, and why the automatic choice is what it is. */
export function Backends() {
  useEffect(() => {
    void examine().catch(fail);
  }, []);
  return (
    <section>
      <fieldset class="backends" disabled={opening.value !== undefined}>
        <legend>{text.backends.title}</legend>
        {WISHES.map((wish) => (
          <Wish key={wish} wish={wish} verdict={verdicts.value.find(({ backend }) => backend === wish)} />
        ))}
      </fieldset>
      {model.value && (
        <p class="why">
          {text.backends.running(
            text.backends.names[model.value.choice.backend],
            model.value.adapter,
            model.value.threads,
          )}{' '}
          {model.value.choice.why}
        </p>
      )}
      {!crossOriginIsolated && <p class="hint">{text.backends.notIsolated(navigator.hardwareConcurrency)}</p>}
    </section>
  );
}

function Wish({ wish, verdict }: { readonly wish: BackendWish; readonly verdict: Verdict | undefined }) {
  const refused = verdict?.works === false;
  return (
    <label class={refused ? 'backend refused' : 'backend'}>
      <input
        type="radio"
        name="backend"
        checked={wanted.value.backend === wish}
        disabled={refused}
        onChange={() => void useBackend(wish)}
      />
      <span class="name">{text.backends.names[wish]}</span>
      <span class="hint">{wish === 'auto' ? text.backends.auto : verdictText(verdict)}</span>
    </label>
  );
}

function verdictText(verdict: Verdict | undefined): string {
  if (verdict === undefined) return text.backends.examining;
  if (!verdict.works) return [verdict.detail, verdict.hint].filter(Boolean).join(' – ');
  return text.backends.passed(verdict.detail, milliseconds(verdict.openMs));
}
