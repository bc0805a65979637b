/** What a thread is told when it starts. Addresses are of the memory that all share. */
export interface WorkerStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly memory64: boolean;
  readonly id: number;
  readonly threads: number;
  /** The end of this thread's own stack. */
  readonly stack: number;
  /** `team::Control` of the crate. */
  readonly control: number;
  /** What is to be run: see `Crew`. */
  readonly mailbox: number;
}

/** What a thread tells: that it can run, that a run is done (thread 0 only), or what went wrong. */
export type WorkerMessage = 'ready' | 'done' | { readonly error: string };

/**
 * A thread's program, a script or a module as the engine was started. It is text, so that it goes along wherever this package is bundled to, without a file of its own;
 * a page whose content security policy restricts workers allows `worker-src blob:`.
 */
export const WORKER_SOURCE = `
const isWeb = typeof postMessage === 'function';
const port = isWeb ? globalThis : process.getBuiltinModule('node:worker_threads').parentPort;
const say = (message) => port.postMessage(message);
const work = async ({ module, memory, memory64, id, threads, stack, control, mailbox }) => {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  const size = memory64 ? BigInt : Number;
  exports.__stack_pointer.value = size(stack);
  const signal = new Int32Array(memory.buffer, mailbox, 2);
  const tables = new Float64Array(memory.buffer, mailbox + 8, 3);
  say('ready');
  for (let seen = 0; ; ) {
    Atomics.wait(signal, 0, seen);
    seen = Atomics.load(signal, 0);
    const [code, registers, plan] = Array.from(tables, size);
    exports.run(code, registers, plan, size(id), size(threads), size(control));
    if (id === 0) say('done');
  }
};
const begin = (start) => work(start).catch((error) => say({ error: String(error.message ?? error) }));
if (isWeb) port.onmessage = ({ data }) => begin(data);
else port.once('message', begin);
`;
