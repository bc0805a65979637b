import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { model } from '../store/model.ts';
import { fail, isAborted } from '../store/notices.ts';
import { worker } from '../store/worker.ts';
import { text } from '../text.ts';
import type { ContextEvent, ContextPoint } from '../worker/protocol.ts';
import { Button } from './button.tsx';
import { bytes, count, milliseconds } from './format.ts';
import { Lines } from './lines.tsx';

const LENGTHS = [64, 128, 256, 512, 1024, 2048, 4096];
const NOTHING: ContextEvent = { rwkv: [], transformer: [] };

/** What a token costs against its position, of the open model and of a transformer of its size: measured here and now. */
export function Contexts() {
  const measured = useSignal(NOTHING);
  const running = useSignal<AbortController | undefined>(undefined);
  const measure = async (): Promise<void> => {
    const controller = new AbortController();
    running.value = controller;
    measured.value = NOTHING;
    try {
      const onEvent = (event: ContextEvent): void => {
        measured.value = event;
      };
      measured.value = await worker.call('contexts', LENGTHS, { onEvent, signal: controller.signal });
    } catch (error) {
      if (!isAborted(error)) fail(error);
    } finally {
      running.value = undefined;
    }
  };
  return (
    <article class="contexts">
      <h2>{text.contexts.title}</h2>
      <p class="hint">{text.contexts.hint}</p>
      <div class="actions">
        {running.value ? (
          <Button icon="stop" label={text.contexts.stop} onClick={() => running.value?.abort()} />
        ) : (
          <Button
            icon="play"
            label={text.contexts.measure}
            disabled={model.value === undefined}
            onClick={() => void measure()}
          />
        )}
        {running.value && (
          <span role="status">{text.contexts.progress(measured.value.rwkv.length, LENGTHS.length)}</span>
        )}
      </div>
      {measured.value.rwkv.length > 1 && <Charts {...measured.value} />}
    </article>
  );
}

function Charts({ rwkv, transformer }: ContextEvent) {
  const { x, times, memory } = useMemo(() => {
    const linesOf = (of: (point: ContextPoint) => number) => [
      { name: text.contexts.rwkv, values: rwkv.map(of), colour: '--accent' },
      { name: text.contexts.transformer, values: transformer.map(of), colour: '--warm' },
    ];
    return {
      x: rwkv.map(({ context }) => context),
      times: linesOf(({ milliseconds: time }) => time),
      memory: linesOf(({ memoryBytes }) => memoryBytes),
    };
  }, [rwkv, transformer]);
  return (
    <div class="pair">
      <div>
        <h3>{text.contexts.time}</h3>
        <Lines
          x={x}
          lines={times}
          xLabel={text.contexts.position}
          yLabel=""
          logX
          logY
          yText={milliseconds}
          label={text.contexts.timeLabel}
        />
      </div>
      <div>
        <h3>{text.contexts.memory}</h3>
        <Lines
          x={x}
          lines={memory}
          xLabel={text.contexts.position}
          yLabel=""
          logX
          logY
          yText={bytes}
          label={text.contexts.memoryLabel}
        />
      </div>
      <table class="numbers">
        <caption class="unseen">{text.contexts.title}</caption>
        <thead>
          <tr>
            <th scope="col">{text.contexts.position}</th>
            <th scope="col">{text.contexts.rwkv}</th>
            <th scope="col">{text.contexts.transformer}</th>
          </tr>
        </thead>
        <tbody>
          {rwkv.map((point, i) => (
            <tr key={point.context}>
              <th scope="row">{count(point.context)}</th>
              <td>{pointText(point)}</td>
              <td>{pointText(transformer[i])}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function pointText(point: ContextPoint | undefined): string {
  return point === undefined ? '–' : `${milliseconds(point.milliseconds)} · ${bytes(point.memoryBytes)}`;
}
