/** Reads query parameters of a request. */

import type { Request } from 'express';
import { RequestError } from './request-error.js';

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

/** The value of a boolean parameter; false when it is missing. @throws RequestError */
export function queryBoolean(request: Request, name: string): boolean {
  const text = queryText(request, name);
  const value = BOOLEANS.get(text ?? 'false');
  if (value !== undefined) return value;
  throw new RequestError(400, `${name}: expected true or false, got ${JSON.stringify(text)}`);
}
