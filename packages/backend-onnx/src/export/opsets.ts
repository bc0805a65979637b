/** Versions of the ONNX standard that can be written: `ReduceMax` takes axes as here from 18 on, blocks came with 21. */
export const OPSETS = { least: 18, most: 23, blocks: 21 } as const;
