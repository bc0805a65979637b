import { readFile } from 'node:fs/promises';
import { ReceptanceError } from '@receptance/core';
import { Ajv } from 'ajv';
import schema from './report.schema.json' with { type: 'json' };
import type { Report } from './report.ts';

/** Holds data against a schema. What it returns throws a ReceptanceError `BAD_REPORT` that says where they differ. */
export function reportCheck<T>(of: object): (data: unknown, name: string) => T {
  const isReport = new Ajv({ strict: false }).compile<T>(of);
  return (data, name) => {
    if (isReport(data)) return data;
    const [first] = isReport.errors ?? [];
    throw new ReceptanceError('BAD_REPORT', `${name} is no report: ${first?.instancePath || 'it'} ${first?.message}`, {
      hint: 'give a file that --json wrote',
    });
  };
}

/** @throws ReceptanceError `BAD_REPORT` saying where it differs from `report.schema.json` */
export const checkReport: (data: unknown, name: string) => Report = reportCheck(schema);

/** @throws ReceptanceError `BAD_REPORT`, `FILE_NOT_FOUND` */
export async function readReport(path: string): Promise<Report> {
  return checkReport(await readJson(path), path);
}

/** @throws ReceptanceError `BAD_REPORT`, `FILE_NOT_FOUND` */
export async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new ReceptanceError('FILE_NOT_FOUND', `${path} cannot be read`, { hint: 'check the path', cause });
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ReceptanceError('BAD_REPORT', `${path} is no JSON`, { hint: 'give a file that --json wrote', cause });
  }
}
