import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import type { TestProject } from 'vitest/node';
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
  await build({ configFile: `${folder}vite.config.ts`, logLevel: 'warn' });
  const [page, plain] = await Promise.all([servePage(`${folder}dist`, true), servePage(`${folder}dist`, false)]);
  project.provide('page', page.url);
  project.provide('plainPage', plain.url);
  return async () => {
    await Promise.all([page.close(), plain.close()]);
  };
}
