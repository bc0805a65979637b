/** The packages of somebody who has only what is published: packed, installed by npm, run in Node and in a page. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { publint } from 'publint';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run, whileServing } from '../run.ts';
import { chromium, inCi, systemParts } from '../system-parts.ts';
import { root } from '../workspace.ts';
import { createApp, entriesOf, type PackedPackage, packAll } from './published.ts';
import { PAGE_LIMIT } from './size-limit.ts';

const INSTALLED = { types: { '@types/node': '24.19.2' }, page: { vite: '8.3.8', 'playwright-core': '1.65.1' } };
const PAGE = ['receptance', '@receptance/backend-wasm', '@receptance/model-stories'];
/** `Once upon a time` is continued by words, whatever the model has learnt. */
const STORY = /^[\w ,.!?'"]{30}/;

const folder = mkdtempSync(join(tmpdir(), 'receptance-'));
const [nodeApp, webApp] = [join(folder, 'node-app'), join(folder, 'web-app')];
const vite = [join(webApp, 'node_modules/vite/bin/vite.js')];
const tsc = join(root, 'node_modules/typescript/bin/tsc');
const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js');
let packages: readonly PackedPackage[] = [];
let story = '';

beforeAll(async () => {
  packages = await packAll(join(folder, 'tarballs'));
  // A page's project names what those it imports depend on, too: they are in no registry yet.
  const needed = new Set(PAGE);
  for (const name of needed) for (const other of dependenciesOf(name)) needed.add(other);
  await createApp(nodeApp, 'node-app', packages, INSTALLED.types);
  const ofPage = packages.filter(({ manifest }) => needed.has(manifest.name));
  await createApp(webApp, 'web-app', ofPage, INSTALLED.page);
  story = await run(process.execPath, ['main.ts'], nodeApp);
  await run(process.execPath, [...vite, 'build'], webApp);
}, 240_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function dependenciesOf(name: string): string[] {
  const own = packages.find(({ manifest }) => manifest.name === name)?.manifest.dependencies ?? {};
  return Object.keys(own).filter((other) => packages.some(({ manifest }) => manifest.name === other));
}

test('what is packed names versions, not this workspace, and holds its licence and no tests', () => {
  for (const { manifest } of packages) {
    const at = join(nodeApp, 'node_modules', manifest.name);
    expect(readFileSync(join(at, 'package.json'), 'utf8')).not.toMatch(/"(workspace|catalog):/);
    expect(readdirSync(at)).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'dist', 'src']));
    expect(readdirSync(at)).not.toContain('test');
  }
});

test('publint finds nothing in any tarball', async () => {
  for (const { manifest, tarball } of packages) {
    const { buffer, byteOffset, byteLength } = readFileSync(tarball);
    const packed = { tarball: buffer.slice(byteOffset, byteOffset + byteLength) };
    expect({ name: manifest.name, ...(await publint({ strict: true, pack: packed })) }).toMatchObject({ messages: [] });
  }
});

test('attw finds the types of every entry', { timeout: 180_000 }, async () => {
  for (const { tarball } of packages.filter((found) => entriesOf(found).length > 0)) {
    await run(process.execPath, [attw, tarball, '--profile', 'esm-only'], folder);
  }
});

test('tsc checks the types of every entry, WebGPU’s with the DOM library, and of the page', async () => {
  const entries = packages.flatMap(entriesOf);
  const list = (chosen: readonly string[]) => chosen.map((entry, i) => `export * as e${i} from '${entry}';\n`).join('');
  const isWebGpu = (entry: string) => entry.includes('backend-webgpu');
  writeFileSync(join(nodeApp, 'entries.ts'), list(entries.filter((entry) => !isWebGpu(entry))));
  writeFileSync(join(nodeApp, 'entries-dom.ts'), list(entries.filter(isWebGpu)));
  const options = ['--strict', '--module', 'nodenext', '--moduleResolution', 'nodenext', '--target', 'es2023'];
  const forPage = ['--strict', '--module', 'esnext', '--moduleResolution', 'bundler', '--target', 'es2023', '--noEmit'];
  const check = (lib: string, files: readonly string[]) =>
    run(process.execPath, [tsc, ...options, '--types', 'node', '--lib', lib, ...files], nodeApp);
  await check('es2023', ['main.ts', 'entries.ts']);
  await check('es2023,dom', ['entries-dom.ts']);
  await run(process.execPath, [tsc, ...forPage, '--types', '', '--lib', 'es2023,dom,dom.iterable', 'main.ts'], webApp);
});

test('every entry is imported by Node', async () => {
  const needsPeers = (entry: string) => entry.endsWith('/vitest');
  const entries = packages.flatMap(entriesOf).filter((entry) => !needsPeers(entry));
  const program = entries.map((entry) => `await import('${entry}');`).join('\n');
  await run(process.execPath, ['--input-type=module', '--eval', program], nodeApp);
});

test('five lines tell a story in Node, and so does the command', async () => {
  expect(story).toMatch(STORY);
  const args = ['generate', '--prompt', 'Once upon a time', '--max-tokens', '60', '--greedy'];
  expect(await run(join(nodeApp, 'node_modules/.bin/receptance'), args, nodeApp)).toContain(story);
});

test('Vite builds a page with the model beside it, no larger than the limit', () => {
  const assets = readdirSync(join(webApp, 'dist/assets'));
  expect(assets.filter((file) => file.endsWith('.gguf'))).toHaveLength(1);
  const scripts = assets.filter((file) => file.endsWith('.js')).map((file) => join(webApp, 'dist/assets', file));
  const codes = scripts.map((file) => readFileSync(file));
  // Of the binaries, each a script that begins as WebAssembly in base64 does, a page loads one.
  const isBinary = (code: Buffer): boolean => code.includes('AGFzbQEAAAA');
  const largest = codes.filter(isBinary).sort((a, b) => b.length - a.length)[0];
  expect(largest).toBeDefined();
  const loaded = [...codes.filter((code) => !isBinary(code)), ...(largest ? [largest] : [])];
  const minified = loaded.reduce((sum, code) => sum + code.length, 0);
  const gzipped = loaded.reduce((sum, code) => sum + gzipSync(code, { level: 9 }).length, 0);
  console.log(
    `receptance with @receptance/backend-wasm: ${minified} bytes minified, ${gzipped} gzipped of ${PAGE_LIMIT}`,
  );
  expect(gzipped).toBeLessThan(PAGE_LIMIT);
});

test.for([
  ['as built', 'preview'],
  ['in development', 'dev'],
] as const)('the page tells the same story in Chromium, %s', { timeout: 120_000 }, async ([how, command], { skip }) => {
  if (!existsSync(chromium) && !inCi) {
    const note = `packages: no ${chromium}, so the page was built, but not opened ${how}`;
    console.log(`${note}; install it with: ${systemParts.webgpu.install.join(' && ')}`);
    skip(note);
  }
  const told = await whileServing([...vite, command, '--host', '127.0.0.1'], webApp, (url) =>
    run(process.execPath, ['open.mjs', chromium, url], webApp),
  );
  expect(told.trim()).toBe(story.trim());
});
