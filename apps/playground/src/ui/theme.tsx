import { effect, signal } from '@preact/signals';
import { text } from '../text.ts';
import { Button } from './button.tsx';

type Theme = 'auto' | 'light' | 'dark';
const NEXT: Readonly<Record<Theme, Theme>> = { auto: 'light', light: 'dark', dark: 'auto' };
const KEY = 'receptance.theme';

const theme = signal<Theme>(stored());

effect(() => {
  localStorage.setItem(KEY, theme.value);
  if (theme.value === 'auto') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme.value;
});

export function ThemeButton() {
  return (
    <Button
      icon={theme.value === 'dark' ? 'dark' : 'light'}
      iconOnly
      kind="quiet"
      label={text.theme.change(text.theme[theme.value])}
      onClick={() => {
        theme.value = NEXT[theme.value];
      }}
    />
  );
}

function stored(): Theme {
  const found = localStorage.getItem(KEY);
  return found === 'light' || found === 'dark' ? found : 'auto';
}
