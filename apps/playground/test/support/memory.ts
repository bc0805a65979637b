import { readFileSync, writeFileSync } from 'node:fs';
import type { Page } from 'playwright-core';

/** Memory of the processes that pages and their workers run in, as Linux counts it. */
export class PageMemory {
  readonly #pids: readonly number[];

  private constructor(pids: readonly number[]) {
    this.#pids = pids;
  }

  static async of(page: Page): Promise<PageMemory> {
    const browser = page.context().browser();
    if (browser === null) throw new Error('the page has no browser');
    const devtools = await browser.newBrowserCDPSession();
    const { processInfo } = await devtools.send('SystemInfo.getProcessInfo');
    await devtools.detach();
    return new PageMemory(processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id));
  }

  /** Bytes that are resident now; the peak is counted from here on. */
  begin(): number {
    for (const pid of this.#pids) writeFileSync(`/proc/${pid}/clear_refs`, '5');
    return this.#sum('VmRSS');
  }

  /** Bytes at the most: of each process at its own time, so rather too many than too few. */
  peak(): number {
    return this.#sum('VmHWM');
  }

  #sum(field: string): number {
    return this.#pids.map((pid) => bytesIn(readFileSync(`/proc/${pid}/status`, 'utf8'), field)).reduce((a, b) => a + b);
  }
}

function bytesIn(status: string, field: string): number {
  return 1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN);
}
