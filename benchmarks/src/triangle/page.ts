import { pageFrom } from '../report/page/page.ts';
import { triangleFigures } from './plots.ts';
import type { TriangleReport } from './report.ts';
import { triangleTable } from './table.ts';

/** The report as one page without any script. */
export function trianglePage(report: TriangleReport): string {
  return pageFrom({
    title: 'The impossible triangle, measured',
    ...{ date: report.date, figures: triangleFigures(report), text: triangleTable(report) },
  });
}
