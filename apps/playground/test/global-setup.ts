import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { run } from '../../../tools/run.ts';
import { servePage } from './support/server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The page as built, with the headers that isolate it. */
    readonly page: string;
    /** The same from a server that sends no such headers. */
    readonly plainPage: string;
  }
}

const folder = fileURLToPath(new URL('..', import.meta.url));

/** Builds the page once for all tests, and serves it in both ways. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // By itself: in this process it would be a build for tests.
  await run(process.execPath, [`${folder}node_modules/vite/bin/vite.js`, 'build'], folder);
  const [page, plain] = await Promise.all([servePage(`${folder}dist`, true), servePage(`${folder}dist`, false)]);
  project.provide('page', page.url);
  project.provide('plainPage', plain.url);
  return async () => {
    await Promise.all([page.close(), plain.close()]);
  };
}
