/** `pnpm bench encoding` opens this page without a window and waits for its answer. */
import { measureEncoding } from '../src/webgpu/encoding.ts';

const engine = /Chrome\/[\d.]+/.exec(navigator.userAgent)?.[0].replace('/', ' ') ?? navigator.userAgent;
const answer = await measureEncoding().then(
  (figures) => ({ engine, figures }),
  (error: unknown) => ({ engine, error: String(error) }),
);
document.body.textContent = JSON.stringify(answer, null, 2);
await fetch('/answer', { method: 'POST', body: JSON.stringify(answer) });
