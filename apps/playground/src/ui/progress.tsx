import { bytes } from './format.ts';

interface ProgressProps {
  readonly label: string;
  readonly what: string;
  readonly done: number;
  readonly total: number;
}

/** What is counted in bytes says how many; small counts do not. */
const BYTES_FROM = 10_000;

export function Progress({ label, done, total }: ProgressProps) {
  return (
    <label class="progress">
      <span>{label}</span>
      <progress {...(total > 0 ? { value: done, max: total } : {})} />
      {total >= BYTES_FROM && <span class="number">{`${bytes(done)} / ${bytes(total)}`}</span>}
    </label>
  );
}
