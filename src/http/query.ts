/** Reads query parameters of a request. */

import type { Request } from 'express';
import { show } from '../platform/values.js';
import { RequestError } from './request-error.js';

/** Names per request. */
const MAX_DESTINATIONS = 100;
/** Characters. */
const MAX_NAME = 1_024;

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

/** The value of a parameter; undefined when it is missing or empty. @throws RequestError when it is repeated. */
export function queryText(request: Request, name: string): string | undefined {
  const value = request.query[name];
  if (value === undefined || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw new RequestError(400, `${name}: expected one value, got several`);
}

/** The values of a repeatable parameter. */
export function queryTexts(request: Request, name: string): readonly string[] {
  return [request.query[name] ?? []].flat().map(String);
}

/** The value of a boolean parameter; undefined when it is missing. @throws RequestError */
export function queryBoolean(request: Request, name: string): boolean | undefined {
  const text = queryText(request, name);
  if (text === undefined) return undefined;
  const value = BOOLEANS.get(text);
  if (value !== undefined) return value;
  throw new RequestError(400, `${name}: expected true or false, got ${show(text)}`);
}

/** The value of a parameter, one of a list; undefined when it is missing. @throws RequestError */
export function queryOneOf<T extends string>(
  request: Request,
  name: string,
  allowed: readonly T[],
): T | undefined {
  const text = queryText(request, name);
  const value = allowed.find((one) => one === text);
  if (text === undefined || value !== undefined) return value;
  throw new RequestError(400, `${name}: expected ${allowed.join(' or ')}, got ${show(text)}`);
}

/** The value of a parameter from 1 to `max`; undefined when it is missing. @throws RequestError */
export function queryInteger(request: Request, name: string, max: number): number | undefined {
  const text = queryText(request, name);
  if (text === undefined) return undefined;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= max) return value;
  throw new RequestError(400, `${name}: expected an integer from 1 to ${max}, got ${show(text)}`);
}

/** The values of the parameter `destination`. @throws RequestError without one, with too many, or with a long one. */
export function queryDestinations(request: Request): readonly string[] {
  const given: unknown = request.query['destination'];
  const names: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (names.length > MAX_DESTINATIONS) {
    const expected = `expected at most ${MAX_DESTINATIONS} destinations`;
    throw new RequestError(400, `${expected}, got ${names.length}`);
  }
  return names.map((name) => {
    if (typeof name === 'string' && name !== '' && name.length <= MAX_NAME) return name;
    const got = typeof name === 'string' ? `${name.length}` : 'none';
    throw new RequestError(400, `destination: expected 1 to ${MAX_NAME} characters, got ${got}`);
  });
}
