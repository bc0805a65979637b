import { reportCheck } from '../report/read.ts';
import type { TriangleReport } from './report.ts';
import schema from './schema.json' with { type: 'json' };

/** @throws ReceptanceError `BAD_REPORT` saying where it differs from `schema.json` */
export const checkTriangle: (data: unknown, name: string) => TriangleReport = reportCheck(schema);
