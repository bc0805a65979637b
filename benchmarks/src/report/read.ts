import { readFile } from 'node:fs/promises';
import { ReceptanceError } from '@receptance/core';
import { Ajv } from 'ajv';
import schema from './report.schema.json' with { type: 'json' };
import type { Report } from './report.ts';

const isReport = new Ajv({ strict: false }).compile<Report>(schema);

/** @throws ReceptanceError `BAD_REPORT` saying where it differs from `report.schema.json` */
export function checkReport(data: unknown, name: string): Report {
  if (isReport(data)) return data;
  const [first] = isReport.errors ?? [];
  throw new ReceptanceError('BAD_REPORT', `${name} is no report: ${first?.instancePath || 'it'} ${first?.message}`, {
    hint: 'give a file that --json wrote',
  });
}

/** @throws ReceptanceError `BAD_REPORT`, `FILE_NOT_FOUND` */
export async function readReport(path: string): Promise<Report> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new ReceptanceError('FILE_NOT_FOUND', `${path} cannot be read`, { hint: 'check the path', cause });
  });
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (cause) {
    throw new ReceptanceError('BAD_REPORT', `${path} is no JSON`, { hint: 'give a file that --json wrote', cause });
  }
  return checkReport(data, path);
}
