/**
 * Makes the page work offline, and isolates it from other sites where the server does not, so that WebAssembly may have
 * threads. It takes effect when the page is next loaded: nothing is reloaded under somebody's hands.
 */
export function registerServiceWorker(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  // After the page itself: what it keeps for later is not needed for the first text.
  const register = (): void => {
    // Where there may be none (a private window), the page works without.
    navigator.serviceWorker.register('sw.js').catch(() => {});
  };
  if (document.readyState === 'complete') register();
  else addEventListener('load', register);
}
