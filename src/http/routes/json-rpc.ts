/** JSON-RPC 2.0 (jsonrpc.org): calls, notifications and batches. It knows no method. */

import { isMapping, show } from '../../platform/values.js';

/** Calls in one batch. */
const MAX_CALLS = 1_000;

export const PARSE_ERROR = -32700;
export const INVALID_REQUEST = -32600;
export const METHOD_NOT_FOUND = -32601;
export const INVALID_PARAMS = -32602;
export const INTERNAL_ERROR = -32603;

/** A call that fails, with the code that the caller gets. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export type Params = Readonly<Record<string, unknown>>;

export interface Method {
  /** In the order in which they may stand in a list. */
  readonly params: readonly string[];
  /** How many of the first of them have to be there. */
  readonly required: number;
  /** Whether a batch may have it only once, because its result is large. */
  readonly isLarge?: true;
  /** @throws RpcError */
  readonly call: (params: Params) => Promise<unknown>;
}

export type Methods = Readonly<Record<string, Method>>;

interface Response {
  readonly jsonrpc: '2.0';
  readonly id: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/**
 * Answers a request or a batch of them; undefined when nothing is to be answered.
 *
 * @param onError told of faults of our own.
 */
export async function answer(
  text: string,
  methods: Methods,
  onError: (error: unknown) => void,
): Promise<Response | readonly Response[] | undefined> {
  let request: unknown;
  try {
    request = JSON.parse(text);
  } catch {
    return failure(null, PARSE_ERROR, 'expected JSON, got what is none');
  }
  if (!Array.isArray(request)) return answerOne(request, methods, onError);
  const fault = faultOfBatch(request);
  if (fault !== undefined) return failure(null, INVALID_REQUEST, fault);
  const seen = new Set<unknown>();
  const answers = await Promise.all(
    request.map((call: unknown) => {
      const method = isMapping(call) ? call['method'] : undefined;
      const isAgain = seen.has(method) && methodOf(methods, method)?.isLarge === true;
      seen.add(method);
      return answerOne(call, isAgain ? toldOnce(methods) : methods, onError);
    }),
  );
  const told = answers.filter((one) => one !== undefined);
  return told.length === 0 ? undefined : told;
}

/** The same methods, none of which can be called. */
function toldOnce(methods: Methods): Methods {
  const call = () => {
    throw wrong('expected a method with a large result at most once in a batch');
  };
  return Object.fromEntries(Object.entries(methods).map(([name, m]) => [name, { ...m, call }]));
}

function faultOfBatch(batch: readonly unknown[]): string | undefined {
  if (batch.length === 0) return 'expected at least one call in a batch, got none';
  if (batch.length <= MAX_CALLS) return undefined;
  return `expected at most ${MAX_CALLS} calls in a batch, got ${batch.length}`;
}

async function answerOne(
  request: unknown,
  methods: Methods,
  onError: (error: unknown) => void,
): Promise<Response | undefined> {
  const isNotification = isMapping(request) && !('id' in request);
  try {
    const result = await call(request, methods);
    return isNotification ? undefined : { jsonrpc: '2.0', id: idOf(request), result };
  } catch (error) {
    const isInvalid = error instanceof RpcError && error.code === INVALID_REQUEST;
    if (!(error instanceof RpcError)) onError(error);
    if (isNotification && !isInvalid) return undefined;
    if (error instanceof RpcError) return failure(idOf(request), error.code, error.message);
    return failure(idOf(request), INTERNAL_ERROR, 'internal error; the log has it');
  }
}

async function call(request: unknown, methods: Methods): Promise<unknown> {
  if (!isMapping(request)) throw invalid(`expected an object, got ${show(request)}`);
  const { jsonrpc, method: name, params = [], id } = request;
  if (jsonrpc !== '2.0') throw invalid(`jsonrpc: expected "2.0", got ${show(jsonrpc)}`);
  if (!isId(id)) throw invalid(`id: expected a text, a number or null, got ${show(id)}`);
  if (typeof name !== 'string') throw invalid(`method: expected a text, got ${show(name)}`);
  const method = methodOf(methods, name);
  if (method === undefined) {
    const known = Object.keys(methods).join(', ');
    throw new RpcError(METHOD_NOT_FOUND, `expected one of ${known}, got ${show(name)}`);
  }
  return method.call(named(method, params));
}

/** Parameters by their names, as a list or an object has them. @throws RpcError */
function named({ params: names, required }: Method, given: unknown): Params {
  const isList = Array.isArray(given);
  if (!isList && !isMapping(given)) throw invalid('params: expected a list or an object');
  if (isList && given.length > names.length) {
    throw wrong(`expected at most ${names.length} (${names.join(', ')}), got ${given.length}`);
  }
  const params = isList
    ? Object.fromEntries(given.map((value: unknown, i) => [names[i] ?? '', value]))
    : given;
  for (const name of Object.keys(params)) {
    if (!names.includes(name)) throw wrong(`expected ${names.join(', ')}, got ${show(name)}`);
  }
  const missing = names.slice(0, required).filter((name) => params[name] === undefined);
  if (missing.length > 0) throw wrong(`expected ${missing.join(', ')}, got none`);
  return params;
}

function methodOf(methods: Methods, name: unknown): Method | undefined {
  return typeof name === 'string' && Object.hasOwn(methods, name) ? methods[name] : undefined;
}

function invalid(message: string): RpcError {
  return new RpcError(INVALID_REQUEST, message);
}

function wrong(message: string): RpcError {
  return new RpcError(INVALID_PARAMS, `params: ${message}`);
}

export function failure(id: unknown, code: number, message: string): Response {
  return { jsonrpc: '2.0', id, error: { code, message } };
}

/** Null when the call has none that is one. */
function idOf(request: unknown): unknown {
  const id = isMapping(request) ? request['id'] : undefined;
  return id !== undefined && isId(id) ? id : null;
}

function isId(id: unknown): boolean {
  return id === undefined || id === null || typeof id === 'string' || typeof id === 'number';
}
