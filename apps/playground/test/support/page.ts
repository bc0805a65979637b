import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, vi } from 'vitest';
import { chromiumLaunch } from '../../../../tools/system-parts.ts';
import type { Settings } from '../../src/store/settings.ts';

/** The machine may be busy: what is waited for is a condition, and this is only where waiting is given up. */
const PATIENCE = 150_000;
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

let browser: Browser | undefined;

beforeAll(async () => {
  browser = await chromium.launch({ ...chromiumLaunch, headless: true });
});

afterAll(async () => {
  await browser?.close();
});

export interface OpenPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the page said on the console that it should not have. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

export interface PageOptions extends BrowserContextOptions {
  readonly url?: string;
  readonly path?: string;
  readonly settings?: Partial<Settings>;
}

/** A page in a profile of its own. It must be closed, which fails when it complained. */
export async function openPage({
  url = inject('page'),
  path = '',
  settings,
  ...options
}: PageOptions = {}): Promise<OpenPage> {
  if (browser === undefined) throw new Error('no browser');
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE);
  if (settings !== undefined) {
    await context.addInitScript((given) => {
      // Only the first time: a reload keeps what the test has changed since.
      if (localStorage.getItem('receptance.settings') === null) localStorage.setItem('receptance.settings', given);
    }, JSON.stringify(settings));
  }
  const complaints: string[] = [];
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  await page.goto(url + path);
  return {
    page,
    context,
    complaints,
    close: async () => {
      await context.close();
      expect(complaints).toEqual([]);
    },
  };
}

/** Waits until the text that the page writes is done, and gives it, without what shows where the pointer happens to be. */
export async function written(page: Page, turn = 0): Promise<string> {
  const article = page.locator('.turn').nth(turn);
  await article.locator('.figures').waitFor();
  return article.locator('.tokens').evaluate((tokens) => {
    const text = tokens.cloneNode(true) as HTMLElement;
    for (const rivals of text.querySelectorAll('.rivals')) rivals.remove();
    return text.textContent.trim();
  });
}

/**
 * Presses a button from inside the page, in the first frame in which `selector` finds at least `least` elements whose
 * text has `pattern`: to who asks from outside, a quick machine has done it all meanwhile. What the button ends must
 * be so much work that no machine is done with it within some frames.
 */
export async function pressWhen(
  page: Page,
  button: string,
  { selector, pattern = /(?:)/, least = 1 }: { selector: string; pattern?: RegExp; least?: number },
): Promise<void> {
  await page.evaluate(
    async ([button, selector, source, least, patience]) => {
      const givenUp = performance.now() + patience;
      const pattern = new RegExp(source);
      const isThere = () => {
        const found = [...document.querySelectorAll(selector)].filter(({ textContent }) =>
          pattern.test(textContent ?? ''),
        );
        return found.length >= least;
      };
      while (performance.now() < givenUp) {
        await new Promise(requestAnimationFrame);
        const pressed = [...document.querySelectorAll('button')].find(
          ({ textContent }) => textContent?.trim() === button,
        );
        if (pressed !== undefined && isThere()) return pressed.click();
      }
      throw new Error(`${button} was not there together with ${selector}`);
    },
    [button, selector, pattern.source, least, PATIENCE] as const,
  );
}

export async function openModels(page: Page): Promise<void> {
  await page.locator('.top .model').click();
  await page.locator('dialog.models').waitFor();
}

export async function closeModels(page: Page): Promise<void> {
  await page.keyboard.press('Escape');
  await page.locator('dialog.models').waitFor({ state: 'detached' });
}

/** Waits until a model of this name can write. */
export async function modelOpened(page: Page, name: string): Promise<void> {
  await page.locator('.top .model .name', { hasText: name }).waitFor();
  await page.locator('.top .model .badge').waitFor();
}

export async function useBackend(page: Page, label: string): Promise<void> {
  await openModels(page);
  const radio = page.getByRole('radio', { name: label });
  await radio.check();
  await page.locator('dialog .why').filter({ hasText: 'You chose it.' }).waitFor();
  await closeModels(page);
}

/** Drops files on the page, as a person does from a folder. */
export async function drop(
  page: Page,
  ...paths: readonly (string | { name: string; bytes: Uint8Array })[]
): Promise<void> {
  const files = await Promise.all(
    paths.map(async (path) =>
      typeof path === 'string'
        ? { name: basename(path), base64: (await readFile(path)).toString('base64') }
        : { name: path.name, base64: Buffer.from(path.bytes).toString('base64') },
    ),
  );
  const transfer = await page.evaluateHandle((given) => {
    const made = new DataTransfer();
    for (const { name, base64 } of given) {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      made.items.add(new File([bytes], name));
    }
    return made;
  }, files);
  for (const type of ['dragover', 'drop']) await page.dispatchEvent('body', type, { dataTransfer: transfer });
}

export function golden(name: string): string {
  return fileURLToPath(new URL(`../../../../packages/conformance/golden/models/${name}`, import.meta.url));
}

/** Where screenshots go, to be looked at. */
export function screenshot(name: string): string {
  return fileURLToPath(new URL(`../../screenshots/${name}.png`, import.meta.url));
}
