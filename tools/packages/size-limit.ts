/**
 * Bytes, minified and gzipped, of the JavaScript that a page loads to run a model with `receptance` and
 * `@receptance/backend-wasm`, one WASM binary included (more than half of it, in base64). A page waits for this before it
 * even asks for the weights. It was 191 kB when the limit was set, half of it kernels for weights in five types and for training, with room
 * for a twelfth more; whoever needs more than that raises it here and says for what.
 */
export const PAGE_LIMIT = 208_000;
