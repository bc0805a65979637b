import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { whole } from '../options.ts';

const HELP = `The benchmark in a browser of your choice: WebAssembly and WebGPU there.

  pnpm bench page [--port N]     serves it on this machine alone, and says where; Ctrl-C ends it

Its report is to be downloaded there, and compares with others: pnpm bench compare.`;

export async function pageCommand(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { port: { type: 'string', default: '5173' }, help: { type: 'boolean', default: false } },
  });
  if (values.help) return console.log(HELP);
  const { createServer } = await import('vite');
  const configFile = fileURLToPath(new URL('../../page/vite.config.ts', import.meta.url));
  const server = await createServer({
    configFile,
    server: { host: '127.0.0.1', port: whole('--port', values.port, 0) },
  });
  await server.listen();
  console.log(`open ${server.resolvedUrls?.local[0]}page/`);
}
