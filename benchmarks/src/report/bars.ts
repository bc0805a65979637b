/** The longest bar. */
const WIDTH = 60;

/** A plot in the terminal: a bar a line, all from 0. */
export function bars(values: readonly { readonly label: string; readonly value: number }[]): string[] {
  const most = Math.max(...values.map(({ value }) => value));
  const labelWidth = Math.max(...values.map(({ label }) => label.length));
  return values.map(({ label, value }) => {
    const bar = '█'.repeat(Math.round((WIDTH * value) / most));
    return `${label.padStart(labelWidth)} ${bar} ${value.toPrecision(3)}`;
  });
}
