import type { WeightFigures } from '../models/figures.ts';
import type { Entry, Subject as Reported } from '../report/report.ts';
import type { Samples } from './samples.ts';
import type { Group, OpenSubject, Subject } from './subject.ts';

export function entryOf(
  group: Group,
  subject: OpenSubject,
  figures: WeightFigures,
  samples: Samples | undefined,
): Entry {
  const { isPeer, opened } = subject;
  const { adapter, heldBytes, stateBytes } = opened;
  return {
    ...{ id: idOf(group, subject), ...reported(group, subject), isPeer, adapter, ...figures },
    ...(heldBytes === undefined ? {} : { heldBytes }),
    ...(stateBytes === undefined ? {} : { stateBytes }),
    measurements: samples?.measurements() ?? [],
  };
}

export function reported({ model, weights }: Group, { program, threads }: Subject): Reported {
  return { model, weights: weights ?? 'stored', program, threads };
}

export function idOf(group: Group, subject: Subject): string {
  const { model, weights, program, threads } = reported(group, subject);
  return `${model}/${weights}/${program}/${threads}`;
}
