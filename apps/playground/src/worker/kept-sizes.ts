/** What a step takes of this browser's database. */
export interface KeptSize {
  readonly id: string;
  readonly textId: string;
  readonly at: number;
  readonly textBytes: number;
  readonly stateBytes: number;
}

/** As much as is read when the page is opened. */
export const MOST_TEXT_BYTES = 32 << 20;
export const MOST_STATE_BYTES = 512 << 20;

export interface TooMuch {
  /** Steps of whole texts. */
  readonly gone: readonly string[];
  /** Steps that can be read but not gone on from. */
  readonly stateless: readonly KeptSize[];
}

/**
 * What has to go where more is kept than there is room for: whole texts, first those that were not gone on with for
 * longest; then, of what is left, the oldest states. The text `current` stays, and so does the newest state.
 */
export function tooMuch(kept: readonly KeptSize[], current: string): TooMuch {
  const texts = [...Map.groupBy(kept, ({ textId }) => textId)].map(([textId, steps]) => ({
    steps,
    lastUse: textId === current ? Number.POSITIVE_INFINITY : Math.max(...steps.map(({ at }) => at)),
  }));
  const staying: KeptSize[] = [];
  const gone: string[] = [];
  let textBytes = 0;
  for (const { steps, lastUse } of texts.sort((a, b) => b.lastUse - a.lastUse)) {
    for (const step of steps) textBytes += step.textBytes;
    if (textBytes <= MOST_TEXT_BYTES || lastUse === Number.POSITIVE_INFINITY) staying.push(...steps);
    else gone.push(...steps.map(({ id }) => id));
  }
  let stateBytes = 0;
  const stateless = staying
    .sort((a, b) => b.at - a.at)
    .filter((step, place) => {
      stateBytes += step.stateBytes;
      return place > 0 && step.stateBytes > 0 && stateBytes > MOST_STATE_BYTES;
    });
  return { gone, stateless };
}
