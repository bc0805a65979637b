/**
 * Bytes, minified and gzipped, of the JavaScript that a page loads to run a model with `receptance` and
 * `@receptance/backend-wasm`, one WASM binary included (more than half of it, in base64). A page waits for this before it
 * even asks for the weights. It was 191 kB when the limit was first set, half of it kernels for weights in five types and for training; matrices
 * column by column for relu² made that 203, taller tiles of training (5) and matrices turned in registers while they are loaded (5) 214.
 * Whoever needs more than the limit raises it here and says for what.
 */
export const PAGE_LIMIT = 216_000;
