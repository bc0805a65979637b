import type { ComponentChildren } from 'preact';
import { text } from '../text.ts';
import { ThemeButton } from './theme.tsx';

export type Place = 'write' | 'chat' | 'inside' | 'train' | 'ideas';

const PLACES: readonly (readonly [Place, string])[] = [
  ['write', './#write'],
  ['chat', './#chat'],
  ['inside', './#inside'],
  ['train', './#train'],
  ['ideas', 'ideas.html'],
];

interface TopProps {
  readonly current: Place;
  readonly children?: ComponentChildren;
}

/** The bar at the top of every page. */
export function Top({ current, children }: TopProps) {
  return (
    <>
      <button type="button" class="skip" onClick={() => document.querySelector<HTMLElement>('#main')?.focus()}>
        {text.skip}
      </button>
      <header class="top">
        <a class="mark" href="./#write">
          <Mark />
          {text.name}
        </a>
        <nav aria-label={text.nav.label}>
          {PLACES.map(([name, address]) => (
            <a key={name} href={address} {...(name === current ? { 'aria-current': 'page' as const } : {})}>
              {text.views[name]}
            </a>
          ))}
          <a href="benchmark/page/">{text.nav.benchmark}</a>
        </nav>
        <div class="end">
          {children}
          <ThemeButton />
        </div>
      </header>
    </>
  );
}

/** Decay, as the memory of a channel has it. */
function Mark() {
  return (
    <svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
      {[20, 13.4, 9, 6, 4].map((height, i) => (
        <rect key={height} x={2 + i * 4.3} y={22 - height} width="2.8" height={height} rx="1.2" />
      ))}
    </svg>
  );
}
