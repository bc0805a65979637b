/** Models from an address: downloaded in parts, held against their hash, kept where no network is needed. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { golden, modelOpened, openModels, openPage, written } from './support/page.ts';
import { type Serving, serve } from './support/server.ts';

const NAME = 'rwkv7_l2_c128_tok_v600.f16.gguf';
const SETTINGS = { greedy: true, maxTokens: 12, probabilities: false };

let bytes = Buffer.alloc(0);
let sha256 = '';
let server: Serving;
/** What was asked for: the ranges of each request. */
const asked: (string | undefined)[] = [];
/** Answers stop after this many bytes, until they are let go on. */
let heldAfter = Number.POSITIVE_INFINITY;
let tag = '"one"';
const held = new Set<ServerResponse>();

beforeAll(async () => {
  bytes = await readFile(golden(NAME));
  sha256 = createHash('sha256').update(bytes).digest('hex');
  server = await serve((request, response) => {
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-expose-headers', 'content-range, etag');
    if (!request.url?.endsWith(NAME)) return response.writeHead(404).end();
    const { range } = request.headers;
    asked.push(range);
    const start = Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
    response.setHeader('etag', tag);
    response.setHeader('content-length', bytes.length - start);
    if (range !== undefined) response.setHeader('content-range', `bytes ${start}-${bytes.length - 1}/${bytes.length}`);
    response.writeHead(range === undefined ? 200 : 206);
    const part = bytes.subarray(start, Math.min(bytes.length, heldAfter));
    if (start + part.length === bytes.length) return response.end(part);
    held.add(response.on('close', () => held.delete(response)));
    return response.write(part);
  });
});

afterAll(() => server.close());

async function download(page: Page, path: string = NAME, hash = ''): Promise<void> {
  await openModels(page);
  await page.getByRole('textbox', { name: 'Address' }).fill(server.url + path);
  if (hash !== '') await page.getByRole('textbox', { name: 'SHA-256' }).fill(hash);
  await page.getByRole('button', { name: 'Download' }).click();
}

test('a download is paused, goes on where it was after a reload, is checked, and stays: also without a network', async () => {
  const { page, context, close } = await openPage({ settings: SETTINGS });
  await written(page);
  heldAfter = 400_000;
  asked.length = 0;
  await download(page, NAME, sha256);
  // Held by the server: the page has what came before.
  await page
    .locator('.transfer .number')
    .filter({ hasText: /^400 kB/ })
    .waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByText(/400 kB of \d+ kB/).waitFor();

  await page.reload();
  heldAfter = Number.POSITIVE_INFINITY;
  await openModels(page);
  await page.getByRole('listitem').filter({ hasText: NAME }).getByRole('button', { name: 'Go on' }).click();
  await modelOpened(page, NAME);
  expect(asked).toEqual([undefined, 'bytes=400000-']);
  const item = page.getByRole('listitem').filter({ hasText: NAME });
  await item.getByText('hash as given').waitFor();
  await item.getByRole('button', { name: `Check ${NAME}` }).click();
  await page.getByText('is as it was when it came').waitFor();
  await page.keyboard.press('Escape');

  const text = async (): Promise<string> => {
    await page.getByRole('button', { name: 'New text' }).click();
    await page.getByRole('textbox', { name: 'Words to go on with' }).fill('Hello');
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    return written(page);
  };
  const online = await text();

  await page.evaluate(() => navigator.serviceWorker.ready);
  await context.setOffline(true);
  await page.reload();
  await written(page);
  await openModels(page);
  await item.getByRole('button', { name: 'Use' }).click();
  await modelOpened(page, NAME);
  await page.keyboard.press('Escape');
  expect(await text()).toBe(online);

  await openModels(page);
  await item.getByRole('button', { name: `Delete ${NAME}` }).click();
  await item.waitFor({ state: 'detached' });
  await close();
});

test('another version on the server is fetched anew', async () => {
  const { page, close } = await openPage({ settings: SETTINGS });
  await written(page);
  heldAfter = 200_000;
  asked.length = 0;
  await download(page);
  await page
    .locator('.transfer .number')
    .filter({ hasText: /^200 kB/ })
    .waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByText(/200 kB of/).waitFor();
  heldAfter = Number.POSITIVE_INFINITY;
  tag = '"two"';
  await page.getByRole('listitem').filter({ hasText: NAME }).getByRole('button', { name: 'Go on' }).click();
  await modelOpened(page, NAME);
  expect(asked).toEqual([undefined, 'bytes=200000-', undefined]);
  await close();
});

test('a wrong hash, a missing file and too little room are explained', async () => {
  const { page, context, close, complaints } = await openPage({ settings: SETTINGS });
  await written(page);
  const alert = page.getByRole('alert');
  await download(page, NAME, '0'.repeat(64));
  await alert.getByText('did not come as it should').waitFor();
  expect(await page.getByRole('listitem').filter({ hasText: NAME }).count()).toBe(0);

  await page.keyboard.press('Escape');
  await download(page, 'none.gguf');
  await alert.getByText('answers 404').waitFor();

  await page.keyboard.press('Escape');
  const devtools = await context.newCDPSession(page);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin: new URL(page.url()).origin, quotaSize: 100_000 });
  await download(page);
  await alert.getByText(/not fit: of the .* that the browser gives this page/).waitFor();
  expect(await alert.innerText()).toContain('delete models below');
  // The browser itself reports an answer of 404; nothing else is said.
  expect(complaints.filter((complaint) => !complaint.includes('404'))).toEqual([]);
  await context.close();
  await close().catch(() => {});
});
