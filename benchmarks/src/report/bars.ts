/** A plot in the terminal: a bar a line, all from 0, the longest of `width`. */
export function bars(values: readonly { readonly label: string; readonly value: number }[], width = 60): string[] {
  const most = Math.max(...values.map(({ value }) => value));
  const labelWidth = Math.max(...values.map(({ label }) => label.length));
  return values.map(({ label, value }) => {
    const bar = '█'.repeat(Math.round((width * value) / most));
    return `${label.padStart(labelWidth)} ${bar} ${value.toPrecision(3)}`;
  });
}
