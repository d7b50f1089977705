/** Reads fields of the results of Kamailio, whose names and nesting differ from version to version. */

import { isMapping } from '../../platform/values.js';

export type Fields = Readonly<Record<string, unknown>>;

/** Kamailio nests destinations eight levels deep. */
const MAX_DEPTH = 12;

/** The value of a field in any case; undefined if there is none. */
export function fieldOf(fields: Fields, name: string): unknown {
  if (Object.hasOwn(fields, name)) return fields[name];
  const lower = name.toLowerCase();
  const key = Object.keys(fields).find((candidate) => candidate.toLowerCase() === lower);
  return key === undefined ? undefined : fields[key];
}

/** The text of a field, without blanks around it; empty if it has none. */
export function textOf(fields: Fields, name: string): string {
  const value = fieldOf(fields, name);
  return typeof value === 'string' ? value.trim() : '';
}

/** A mapping, and the mappings around it from the outermost. */
export interface Located {
  readonly fields: Fields;
  readonly around: readonly Fields[];
}

/** The mappings within `value` that have the field as a string. */
export function mappingsWith(name: string, value: unknown): readonly Located[] {
  const located: Located[] = [];
  const search = (inner: unknown, around: readonly Fields[], depth: number): void => {
    if (depth > MAX_DEPTH) return;
    if (Array.isArray(inner)) {
      for (const item of inner) search(item, around, depth + 1);
    } else if (isMapping(inner)) {
      if (typeof fieldOf(inner, name) === 'string') located.push({ fields: inner, around });
      else for (const item of Object.values(inner)) search(item, [...around, inner], depth + 1);
    }
  };
  search(value, [], 0);
  return located;
}
