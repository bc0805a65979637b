import { signal } from '@preact/signals';
import { lazy, Suspense } from 'preact/compat';
import { useEffect, useState } from 'preact/hooks';
import { takeFiles } from './store/files.ts';
import { model, opening } from './store/model.ts';
import type { Kind } from './store/tree.ts';
import { text } from './text.ts';
import { Button } from './ui/button.tsx';
import { Icon } from './ui/icon.tsx';
import { ModelsDialog } from './ui/models-dialog.tsx';
import { NoticeBar } from './ui/notice.tsx';
import { SettingsPanel } from './ui/settings-panel.tsx';
import { TextsList } from './ui/texts-list.tsx';
import { Thread } from './ui/thread.tsx';
import { Top } from './ui/top.tsx';

const Inside = lazy(() => import('./ui/inside.tsx').then(({ Inside: page }) => ({ default: page })));
const Train = lazy(() => import('./ui/train.tsx').then(({ Train: page }) => ({ default: page })));

type View = Kind | 'inside' | 'train';
const VIEWS: readonly View[] = ['write', 'chat', 'inside', 'train'];

const view = signal<View>(viewOf(location.hash));
addEventListener('hashchange', () => {
  view.value = viewOf(location.hash);
});

function viewOf(hash: string): View {
  return VIEWS.find((name) => hash === `#${name}`) ?? 'write';
}

export function App() {
  const [choosing, setChoosing] = useState(false);
  const kind: Kind = view.value === 'chat' ? 'chat' : 'write';
  const dragging = useDrop(kind);
  return (
    <>
      <Top current={view.value}>
        <ModelButton onClick={() => setChoosing(true)} />
      </Top>
      {!choosing && <NoticeBar />}
      <main id="main" tabIndex={-1}>
        {view.value === 'inside' || view.value === 'train' ? (
          <Suspense fallback={<p class="hint">…</p>}>{view.value === 'inside' ? <Inside /> : <Train />}</Suspense>
        ) : (
          <div class="desk">
            <Thread key={kind} kind={kind} />
            <Aside kind={kind} />
          </div>
        )}
      </main>
      {choosing && <ModelsDialog kind={kind} onClose={() => setChoosing(false)} />}
      {dragging && <div class="dropping">{text.drop}</div>}
    </>
  );
}

/** Beside the text where there is room; below it, folded, where there is not. */
function Aside({ kind }: { readonly kind: Kind }) {
  const [open, setOpen] = useState(false);
  return (
    <aside class={open ? 'beside open' : 'beside'}>
      <div class="unfold">
        <Button icon="settings" label={text.settings.open} pressed={open} onClick={() => setOpen(!open)} />
      </div>
      <div class="panels">
        <TextsList kind={kind} />
        <SettingsPanel />
      </div>
    </aside>
  );
}

function ModelButton({ onClick }: { readonly onClick: () => void }) {
  const { name, choice } = model.value ?? {};
  const shown = opening.value === undefined ? (name ?? text.model.none) : `${text.model.opening} …`;
  return (
    <button type="button" class="button plain model" onClick={onClick} aria-haspopup="dialog">
      <Icon name="model" />
      <span class="unseen">{text.model.button}: </span>
      <span class="name">{shown}</span>
      {choice && opening.value === undefined && <span class="badge">{text.backends.names[choice.backend]}</span>}
    </button>
  );
}

/** Files may be dropped anywhere on the page. */
function useDrop(kind: Kind): boolean {
  const [dragging, setDragging] = useState(false);
  useEffect(() => {
    const over = (event: DragEvent): void => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      setDragging(true);
    };
    const leave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setDragging(false);
    };
    const drop = (event: DragEvent): void => {
      event.preventDefault();
      setDragging(false);
      void takeFiles([...(event.dataTransfer?.files ?? [])], kind);
    };
    addEventListener('dragover', over);
    addEventListener('dragleave', leave);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragover', over);
      removeEventListener('dragleave', leave);
      removeEventListener('drop', drop);
    };
  }, [kind]);
  return dragging;
}
