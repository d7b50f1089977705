/** Reads mappings of the configuration field by field. */

import { isMapping, kindOf } from '../platform/values.js';
import { Expected, type Format } from './expected.js';
import { type Report, unknownKey } from './problems.js';

type Fields = Readonly<Record<string, Format<unknown>>>;

export type Read<F extends Fields> = { readonly [K in keyof F]?: ReturnType<F[K]> };

/**
 * Reads `given` field by field; a field with a problem is reported and omitted. A key without a value
 * (`null`) is ignored.
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
      report(`${path}.${key}`, unknownKey(key, Object.keys(fields)));
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

/** The items of a list, each with its path; a missing list is empty. */
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
