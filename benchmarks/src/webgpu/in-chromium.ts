import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ReceptanceError } from '@receptance/core';
import { createServer, type Plugin } from 'vite';

const MINUTES = 2;

/** What Chromium needs where there is no GPU, no person and no sandbox. */
const FLAGS = [
  ...['--headless', '--no-sandbox', '--enable-unsafe-webgpu', '--no-first-run', '--disable-quic', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
];

interface Answer {
  readonly engine: string;
  readonly figures?: unknown;
  readonly error?: string;
}

/**
 * What a page of the benchmarks comes to in a browser without a window: it answers with `POST /answer`.
 * @param adapter the software adapter to use, or that of the machine
 * @throws ReceptanceError `BROWSER_FAILED`
 */
export async function inChromium(browser: string, page: string, adapter?: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const answering: Plugin = {
    name: 'answer',
    configureServer({ middlewares }) {
      middlewares.use('/answer', (request, response) => {
        const parts: Buffer[] = [];
        request.on('data', (part: Buffer) => parts.push(part));
        request.on('end', () => {
          response.end();
          resolve(JSON.parse(Buffer.concat(parts).toString()) as Answer);
        });
      });
    },
  };
  const configFile = fileURLToPath(new URL('../../page/vite.config.ts', import.meta.url));
  const server = await createServer({ configFile, plugins: [answering], server: { host: '127.0.0.1', port: 0 } });
  const profile = await mkdtemp(join(tmpdir(), 'receptance-chromium-'));
  await server.listen();
  const flags = [...FLAGS, `--user-data-dir=${profile}`, ...(adapter ? [`--use-webgpu-adapter=${adapter}`] : [])];
  const child = spawn(browser, [...flags, `${server.resolvedUrls?.local[0]}page/${page}`], { stdio: 'ignore' });
  const ended = new Promise((resolveEnd) => child.once('close', resolveEnd));
  const failed = (reason: string): void =>
    reject(new ReceptanceError('BROWSER_FAILED', `${browser}: ${reason}`, { hint: 'name another one with --browser' }));
  child.once('error', ({ message }) => failed(message));
  child.once('exit', (status) => failed(`it ended with status ${status}`));
  const timer = setTimeout(() => failed(`no answer within ${MINUTES} minutes`), MINUTES * 60_000);
  try {
    const answer = await promise;
    if (answer.error !== undefined) throw new ReceptanceError('BROWSER_FAILED', answer.error, { hint: 'see above' });
    return answer;
  } finally {
    clearTimeout(timer);
    child.kill();
    await ended;
    await server.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
