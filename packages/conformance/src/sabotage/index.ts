import { elementwise } from './elementwise.ts';
import { layout } from './layout.ts';
import { products } from './products.ts';
import { recurrences } from './recurrences.ts';
import type { Sabotage } from './sabotage.ts';
import { time } from './time.ts';

/** At least one mistake for every op. */
export const sabotages: readonly Sabotage[] = [...elementwise, ...layout, ...products, ...time, ...recurrences];
