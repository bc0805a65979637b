/**
 * Bytes, minified and gzipped, of the JavaScript that a page loads to run a model with `receptance` and
 * `@receptance/backend-wasm`, the WASM binary included (nearly half of it, in base64). A page waits for this before it
 * even asks for the weights. It was 103 kB when the limit was set, with room for a sixth more; whoever needs more than
 * that raises it here and says for what.
 */
export const PAGE_LIMIT = 122_000;
