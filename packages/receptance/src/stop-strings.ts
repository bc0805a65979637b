/** Looks for stop strings in a text that comes in pieces, and holds back what may yet be the beginning of one. */
export class StopStrings {
  readonly #stops: readonly string[];
  #held = '';

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** @returns what can be given out now; when a stop string is found, the last text before it. */
  push(text: string): { readonly text: string; readonly stopped: boolean } {
    const all = this.#held + text;
    const found = this.#stops.map((stop) => all.indexOf(stop)).filter((at) => at >= 0);
    const cut = found.length > 0 ? Math.min(...found) : all.length - this.#beginning(all);
    this.#held = found.length > 0 ? '' : all.slice(cut);
    return { text: all.slice(0, cut), stopped: found.length > 0 };
  }

  /** What was held back, when nothing comes that could make it a stop string. */
  flush(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }

  /** Length of the longest end of a text that begins a stop string. */
  #beginning(text: string): number {
    const longest = Math.max(0, ...this.#stops.map((stop) => stop.length - 1));
    for (let length = Math.min(longest, text.length); length > 0; length--) {
      if (this.#stops.some((stop) => stop.startsWith(text.slice(-length)))) return length;
    }
    return 0;
  }
}
