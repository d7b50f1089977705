/** Builders for the operations of the OpenAPI document. */

import { oneOf, type Schema, text } from './schema.js';

export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path' | 'header';
  readonly required?: boolean;
  readonly description: string;
  readonly schema: Schema;
}

interface Response {
  readonly description: string;
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, Response>>;
}

export const json = (description: string, schema: Schema): Response => ({
  description,
  content: { 'application/json': { schema } },
});
export const plain = (description: string): Response => ({
  description,
  content: { 'text/plain': { schema: text() } },
});
export const both = (description: string, schema: Schema): Response => ({
  description,
  content: { 'text/plain': { schema: text() }, 'application/json': { schema } },
});
export const BUSY = plain('Too many concurrent requests; Retry-After says when to try again.');
export const FORBIDDEN = plain('A cross-origin request, or an unknown host name.');

export function query(name: string, description: string, schema: Schema = text()): Parameter {
  return { name, in: 'query', description, schema };
}

export const BOOLEAN = oneOf(['true', 'false', '1', '0']);

export const get = (operation: Operation) => ({ get: operation });
export const post = (operation: Operation) => ({ post: operation });
