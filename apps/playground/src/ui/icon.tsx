/** Outlines of 20 × 20, drawn in the colour of the text around them. */
const PATHS = {
  write: 'M4 16l1-4 8-8 3 3-8 8-4 1zM11 6l3 3',
  stop: 'M6 6h8v8H6z',
  again: 'M15.5 10a5.5 5.5 0 1 1-1.8-4.1M14 2.5v3.8h-3.8',
  back: 'M12 5l-5 5 5 5',
  next: 'M8 5l5 5-5 5',
  edit: 'M5 15h10M6 12l.6-2.4L12.4 4 15 6.6 9.4 12.2 6 12z',
  remove: 'M5 6h10M8 6V4h4v2M6.5 6l.7 10h5.6l.7-10',
  save: 'M10 3v9M6.5 8.5L10 12l3.5-3.5M4 16h12',
  open: 'M10 13V4M6.5 7.5L10 4l3.5 3.5M4 16h12',
  close: 'M5 5l10 10M15 5L5 15',
  model: 'M10 3l6 3.5v7L10 17l-6-3.5v-7zM4 6.5l6 3.5 6-3.5M10 10v7',
  settings: 'M4 6h7M15 6h1M4 14h1M9 14h7M11 4v4M7 12v4',
  light:
    'M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM10 2v2M10 16v2M2 10h2M16 10h2M4.3 4.3l1.4 1.4M14.3 14.3l1.4 1.4M4.3 15.7l1.4-1.4M14.3 5.7l1.4-1.4',
  dark: 'M15.5 12A6.5 6.5 0 0 1 8 4.5 6.5 6.5 0 1 0 15.5 12z',
  play: 'M7 4.5v11l8.5-5.5z',
  pause: 'M7 5v10M13 5v10',
  check: 'M4.5 10.5l3.5 3.5 7.5-8',
  more: 'M10 4v12M4 10h12',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
