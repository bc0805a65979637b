/** A run is to take no longer than this, so that text keeps streaming. */
const TARGET_MILLISECONDS = 50;

/** The most steps of one run: what the buffers of tokens have room for. */
export const MOST_STEPS = 64;

/**
 * How many tokens to make before coming back to the host: one at first, then twice as many each time for as long as
 * a run that long would keep the text streaming.
 * @param milliseconds what the last run of `steps` took
 */
export function nextSteps(steps: number, milliseconds: number): number {
  const fitting = Math.floor((TARGET_MILLISECONDS * steps) / Math.max(milliseconds, 1e-3));
  return Math.max(1, Math.min(2 * steps, fitting, MOST_STEPS));
}

let lastPause = 0;

/**
 * Lets events in when the last pause is long enough ago: a backend that computes on this thread would otherwise keep
 * signals, timers and the page from running between two tokens.
 */
export async function letEventsIn(): Promise<void> {
  if (performance.now() - lastPause < TARGET_MILLISECONDS) return;
  await new Promise<void>((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
  lastPause = performance.now();
}

/** What is ready to run gets to run first. Unlike a timer it does not make a page wait for milliseconds. */
export function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') {
      setImmediate(resolve);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
