/** Mappings in the configuration that are read field by field. */

import { isMapping, kindOf, show } from '../platform/values.js';
import { nearestOf } from '../shared/nearest.js';
import { Expected, type Format } from './expected.js';
import type { Report } from './ping-settings.js';

type Fields = Readonly<Record<string, Format<unknown>>>;

export type Read<F extends Fields> = { readonly [K in keyof F]?: ReturnType<F[K]> };

/**
 * What `given` says, field by field; what is wrong with it is reported, and left out. A key with
 * nothing behind it (`null`) is as good as none.
 */
export function readFields<const F extends Fields>(
  given: unknown,
  fields: F,
  path: string,
  report: Report,
): Read<F> {
  if (!isMapping(given)) {
    report(path, `expected a mapping, got ${kindOf(given)}`);
    return {};
  }
  const read: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    const format = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (format === undefined) {
      const wanted = Object.keys(fields).join(', ');
      const near = nearestOf(key, Object.keys(fields));
      report(`${path}.${key}`, `expected one of ${wanted}${near}, got ${show(key)}`);
      continue;
    }
    if (value === null) continue;
    try {
      read[key] = format(value);
    } catch (error) {
      if (!(error instanceof Expected)) throw error;
      report(`${path}.${key}`, error.message);
    }
  }
  return read as Read<F>;
}

/** The items of a list, each with its path; nothing in its place is an empty list. */
export function itemsOf(
  given: unknown,
  path: string,
  report: Report,
): readonly (readonly [item: unknown, path: string])[] {
  if (given === undefined || given === null) return [];
  if (!Array.isArray(given)) {
    report(path, `expected a list, got ${kindOf(given)}`);
    return [];
  }
  return given.map((item: unknown, index) => [item, `${path}[${index}]`] as const);
}
