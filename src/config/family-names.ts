/** Names of metric families in settings. */

import { FAMILY_NAMES, type FamilyName } from '../shared/family-names.js';
import { nearestOf } from '../shared/nearest.js';
import { Expected, type Format } from './expected.js';

const NAMES: readonly FamilyName[] = Object.values(FAMILY_NAMES).flat();

/** A list of names of metric families; a single string, as from the environment, is split at spaces. */
export const familyNames: Format<readonly FamilyName[]> = (given) => {
  const items =
    typeof given === 'string' ? given.split(/\s+/).filter((item) => item !== '') : given;
  if (!Array.isArray(items)) throw new Expected('a list of metrics', given);
  return items.map((item: unknown) => {
    const name = NAMES.find((known) => known === item);
    if (name !== undefined) return name;
    const nearest = typeof item === 'string' ? nearestOf(item, NAMES) : '';
    throw new Expected(`a metric of docs/metrics.md${nearest}`, item);
  });
};
