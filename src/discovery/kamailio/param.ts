/** Reads the values of module parameters in a kamailio.cfg. */

import { UriError } from '../../shared/uri.js';
import type { RemarkKind } from '../found.js';
import type { Report } from '../remark.js';
import { withBytesShown } from '../text.js';
import type { Value } from './statements.js';

/** The limit of the setting `ping_interval`; Kamailio's `int` would allow more. */
export const MAX_INTERVAL_SECONDS = 24 * 3600;

/** A parameter of a module, as a `modparam` statement sets it. */
export interface Param {
  readonly name: string;
  readonly value: Value;
  readonly place: string;
  readonly report: Report;
}

/** A module whose parameters determine what is monitored. */
export interface Module {
  readonly name: string;
  /** Whether the module is used: whether parameters for several modules are also for this one. */
  readonly isUsed: boolean;
  /** Whether a parameter has an effect on what is monitored; true for an empty name, which is unknown. */
  concerns(name: string): boolean;
  set(param: Param): void;
}

/**
 * The text of a parameter; undefined, and reported, if it has none.
 *
 * @param kind `skipped` for a parameter that is itself a destination.
 */
export function textOf(
  { name, value, report }: Param,
  kind: RemarkKind = 'adjusted',
): string | undefined {
  const reject = (reason: string): undefined => {
    report(kind, `${name}: ${reason}`);
  };
  if (value.kind === 'unknown') return reject(value.reason);
  if (value.kind === 'number') return reject(`expected a string, got ${value.value}`);
  const bytes = withBytesShown(value.text);
  return bytes === undefined ? value.text : reject(`expected UTF-8, got ${bytes.slice(0, 120)}`);
}

/** The canonical URI of a parameter; undefined, and reported as in {@link textOf}, if it has none. */
export function uriOf(
  param: Param,
  canonical: (text: string) => string,
  kind: RemarkKind = 'adjusted',
): string | undefined {
  const text = textOf(param, kind);
  if (text === undefined) return undefined;
  try {
    return canonical(text);
  } catch (error) {
    if (!(error instanceof UriError)) throw error;
    param.report(kind, `${param.name}: ${error.message}`);
    return undefined;
  }
}

/** The whole number of a parameter; undefined, and reported, if it has none from `min` to `max`. */
export function wholeNumberOf(
  { name, value, report }: Param,
  min: number,
  max: number,
): number | undefined {
  if (value.kind === 'unknown') {
    report('adjusted', `${name}: ${value.reason}`);
    return undefined;
  }
  const isQuoted = value.kind === 'text';
  const number = isQuoted && /^-?\d{1,10}$/.test(value.text) ? Number(value.text) : Number.NaN;
  const given = isQuoted ? number : value.value;
  if (!(given >= min && given <= max)) {
    const got = isQuoted ? JSON.stringify(value.text.slice(0, 120)) : value.value;
    report('adjusted', `${name}: expected a whole number from ${min} to ${max}, got ${got}`);
    return undefined;
  }
  if (isQuoted) {
    report('adjusted', `${name}: ${given} is used; Kamailio itself rejects a number in quotes`);
  }
  return given;
}
