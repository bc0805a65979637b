/** Bytes, gzipped, that the page loads before its first text: all but the model. */
export const FIRST_LOAD_LIMIT = 300_000;
