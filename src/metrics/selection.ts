/** Which metric families an answer of `/metrics` has. */

import { FAMILY_GROUPS, type FamilyGroup, type FamilyName } from '../shared/family-names.js';

export interface Selection {
  readonly groups: ReadonlySet<FamilyGroup>;
  /** Families that the configuration leaves out, whatever their group. */
  readonly disabled: readonly FamilyName[];
}

/** Every family. */
export const EVERYTHING: Selection = { groups: new Set(FAMILY_GROUPS), disabled: [] };

/** Those families of a group that are selected. */
export function selected<Family extends { readonly name: FamilyName }>(
  { groups, disabled }: Selection,
  group: FamilyGroup,
  families: readonly Family[],
): readonly Family[] {
  if (!groups.has(group)) return [];
  return disabled.length === 0 ? families : families.filter(({ name }) => !disabled.includes(name));
}

/** The groups that the parameters `collect[]` name; undefined when one of them is no group. */
export function groupsOf(names: readonly string[]): ReadonlySet<FamilyGroup> | undefined {
  const groups = new Set<FamilyGroup>();
  for (const name of names) {
    const group = FAMILY_GROUPS.find((known) => known === name);
    if (group === undefined) return undefined;
    groups.add(group);
  }
  return groups;
}
