import type { Trace } from 'receptance';

/** What the memory of one layer was given at each token. */
export type LayerTrace = Trace;
