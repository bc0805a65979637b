/// <reference lib="webworker" />
/**
 * Keeps the page in the browser and adds the headers that isolate it. `assets.json` beside it lists what the build made,
 * with a version of its own; what another version kept is thrown away.
 */
declare const self: ServiceWorkerGlobalScope;

const PREFIX = 'receptance-page-';

interface Assets {
  readonly version: string;
  readonly files: readonly string[];
}

self.addEventListener('install', (event) => {
  event.waitUntil(install());
});

self.addEventListener('activate', (event) => {
  event.waitUntil(self.clients.claim());
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const isOurs = new URL(request.url).origin === self.location.origin;
  if (request.method !== 'GET' || !isOurs || request.headers.has('range')) return;
  event.respondWith(answer(request));
});

async function install(): Promise<void> {
  const response = await fetch('assets.json', { cache: 'no-cache' });
  const { version, files } = (await response.json()) as Assets;
  const cache = await caches.open(PREFIX + version);
  const known = new Set((await cache.keys()).map(({ url }) => url));
  const wanted = files.map((file) => new URL(file, self.registration.scope).href);
  await cache.addAll(wanted.filter((url) => !known.has(url)));
  for (const name of await caches.keys()) {
    if (name.startsWith(PREFIX) && name !== PREFIX + version) await caches.delete(name);
  }
  await self.skipWaiting();
}

/** Pages from the network first, so that a new version is seen; what they name by its hash from the cache first. */
async function answer(request: Request): Promise<Response> {
  const isPage = request.mode === 'navigate';
  const cached = async (): Promise<Response | undefined> => caches.match(pageOf(request), { ignoreSearch: true });
  if (!isPage) return isolated((await cached()) ?? (await fetch(request)));
  try {
    return isolated(await fetch(request));
  } catch (error) {
    const kept = await cached();
    if (kept === undefined) throw error;
    return isolated(kept);
  }
}

/** A folder is its index. */
function pageOf(request: Request): string {
  const url = new URL(request.url);
  return url.pathname.endsWith('/') ? `${url.origin}${url.pathname}index.html` : url.href;
}

function isolated(response: Response): Response {
  // An opaque answer, or one that says that nothing changed, is passed on as it is.
  if (response.type === 'opaque' || response.type === 'opaqueredirect' || response.status === 304) return response;
  const headers = new Headers(response.headers);
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
