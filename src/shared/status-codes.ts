/**
 * Lists of SIP status codes, such as `2xx`, `200-299`, `any`, `!503` or the name of a policy, and the
 * settings that are such lists.
 */

import type { PingSettings } from './destination.js';

/** The codes that other systems accept as alive, by the name of the system. */
export const POLICIES: Readonly<Record<string, string>> = {
  kamailio: '2xx',
  opensips: '200',
  asterisk: 'any',
  oracle: 'any',
  cucm: 'any,!408,!503',
  cube: 'any,!503,!505',
  freeswitch: '200-599,!408,!503',
};

/** The smallest and largest status code of a final response (RFC 3261 21). */
const FIRST_FINAL_CODE = 200;
const LAST_FINAL_CODE = 699;

/** Final status codes. */
export type StatusCodes = ReadonlySet<number>;

/** What responses mean by their codes. */
export interface ResponseCodes {
  readonly alive: StatusCodes;
  readonly draining: StatusCodes;
}

const NO_CODES: StatusCodes = new Set();

/** Lists that were read before; normally few. */
const known = new Map<string, StatusCodes>();
const MAX_KNOWN = 64;

/** Thrown for a text that is not a list of codes. */
export class StatusCodesError extends Error {
  override readonly name = 'StatusCodesError';
}

/**
 * Parses a list of codes. Items with `!` exclude codes, at any position; a list of only such items
 * excludes them from `any`. The list applies only to received responses: a timeout is not a 408.
 *
 * @throws StatusCodesError naming the item.
 */
export function parseStatusCodes(text: string): StatusCodes {
  const before = known.get(text);
  if (before !== undefined) return before;
  const codes = readCodes(text);
  if (known.size === MAX_KNOWN) known.clear();
  known.set(text, codes);
  return codes;
}

/** The codes that these settings list. */
export function responseCodes({
  aliveCodes,
  drainingCodes,
}: Pick<PingSettings, 'aliveCodes' | 'drainingCodes'>): ResponseCodes {
  return {
    alive: parseStatusCodes(aliveCodes),
    draining: drainingCodes === '' ? NO_CODES : parseStatusCodes(drainingCodes),
  };
}

function readCodes(text: string): StatusCodes {
  const items = text.split(',').map((item) => item.trim().toLowerCase());
  const expanded = items.flatMap(expand);
  const removed = expanded.filter((item) => item.startsWith('!')).map((item) => item.slice(1));
  const added = expanded.filter((item) => !item.startsWith('!'));
  const codes = new Set((added.length === 0 ? ['any'] : added).flatMap(codesOf));
  for (const code of removed.flatMap(codesOf)) codes.delete(code);
  if (codes.size === 0) throw new StatusCodesError(`expected at least one code, got "${text}"`);
  return codes;
}

function expand(item: string): readonly string[] {
  return Object.hasOwn(POLICIES, item) ? (POLICIES[item] ?? '').split(',') : [item];
}

function codesOf(item: string): number[] {
  if (item === 'any') return range(FIRST_FINAL_CODE, LAST_FINAL_CODE);
  const [, first, last] = /^([2-6]\d\d)(?:-([2-6]\d\d))?$/.exec(item) ?? [];
  if (first !== undefined && Number(last ?? first) >= Number(first)) {
    return range(Number(first), Number(last ?? first));
  }
  const [, klass] = /^([2-6])xx$/.exec(item) ?? [];
  if (klass !== undefined) return range(Number(klass) * 100, Number(klass) * 100 + 99);
  const policies = Object.keys(POLICIES).join(', ');
  throw new StatusCodesError(
    `expected final codes: 2xx, 200, 200-299 (of 200 to 699), any, each with or without !, or one of ${policies}, got "${item}"`,
  );
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
