/** JSON-RPC 2.0 (jsonrpc.org): calls, notifications and batches, of any set of methods. */

import { isMapping, show } from '../../platform/values.js';

/** Maximum number of calls per batch. */
const MAX_CALLS = 1_000;

const PARSE_ERROR = -32700;
export const INVALID_REQUEST = -32600;
const METHOD_NOT_FOUND = -32601;
export const INVALID_PARAMS = -32602;
const INTERNAL_ERROR = -32603;

/** The error of a call, with its JSON-RPC code. */
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
  /** The names of its parameters, in the order of a positional call. */
  readonly params: readonly string[];
  /** Number of leading parameters that are required. */
  readonly required: number;
  /** A batch may call the method only once, because its result is large. */
  readonly isLarge?: true;
  /** @throws RpcError */
  readonly call: (params: Params) => Promise<unknown>;
}

export type Methods = Readonly<Record<string, Method>>;

export interface RpcResponse {
  readonly jsonrpc: '2.0';
  readonly id: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/**
 * Answers a request or a batch; undefined when there is nothing to answer.
 *
 * @param onError called with internal errors.
 */
export async function answer(
  text: string,
  methods: Methods,
  onError: (error: unknown) => void,
): Promise<RpcResponse | readonly RpcResponse[] | undefined> {
  let request: unknown;
  try {
    request = JSON.parse(text);
  } catch {
    return errorResponse(null, PARSE_ERROR, 'invalid JSON');
  }
  if (!Array.isArray(request)) return answerCall(request, methods, onError);
  const problem = problemOfBatch(request);
  if (problem !== undefined) return errorResponse(null, INVALID_REQUEST, problem);
  const called = new Set<unknown>();
  const responses = await Promise.all(
    request.map((call: unknown) => {
      const name = isMapping(call) ? call['method'] : undefined;
      const isRepeated = called.has(name) && methodNamed(methods, name)?.isLarge === true;
      called.add(name);
      return answerCall(call, isRepeated ? rejectAll(methods) : methods, onError);
    }),
  );
  const answered = responses.filter((response) => response !== undefined);
  return answered.length === 0 ? undefined : answered;
}

/** The same methods, but each call fails. */
function rejectAll(methods: Methods): Methods {
  const call = () => {
    throw invalidParams('a method with a large result may be called only once in a batch');
  };
  return Object.fromEntries(Object.entries(methods).map(([name, m]) => [name, { ...m, call }]));
}

function problemOfBatch(batch: readonly unknown[]): string | undefined {
  if (batch.length === 0) return 'expected at least one call in a batch, got none';
  if (batch.length <= MAX_CALLS) return undefined;
  return `expected at most ${MAX_CALLS} calls in a batch, got ${batch.length}`;
}

async function answerCall(
  request: unknown,
  methods: Methods,
  onError: (error: unknown) => void,
): Promise<RpcResponse | undefined> {
  const isNotification = isMapping(request) && !('id' in request);
  try {
    const result = await callMethod(request, methods);
    return isNotification ? undefined : { jsonrpc: '2.0', id: idOf(request), result };
  } catch (error) {
    const isInvalid = error instanceof RpcError && error.code === INVALID_REQUEST;
    if (!(error instanceof RpcError)) onError(error);
    if (isNotification && !isInvalid) return undefined;
    if (error instanceof RpcError) return errorResponse(idOf(request), error.code, error.message);
    return errorResponse(idOf(request), INTERNAL_ERROR, 'internal error; see the log');
  }
}

async function callMethod(request: unknown, methods: Methods): Promise<unknown> {
  if (!isMapping(request)) throw invalidRequest(`expected an object, got ${show(request)}`);
  const { jsonrpc, method: name, params = [], id } = request;
  if (jsonrpc !== '2.0') throw invalidRequest(`jsonrpc: expected "2.0", got ${shown(jsonrpc)}`);
  if (!isId(id)) throw invalidRequest(`id: expected a string, a number or null, got ${show(id)}`);
  if (typeof name !== 'string') {
    throw invalidRequest(`method: expected a string, got ${shown(name)}`);
  }
  const method = methodNamed(methods, name);
  if (method === undefined) {
    const known = Object.keys(methods).join(', ');
    throw new RpcError(METHOD_NOT_FOUND, `expected one of ${known}, got ${show(name)}`);
  }
  return method.call(namedParams(method, params));
}

/** Parameters by name, from a list or an object. @throws RpcError */
function namedParams({ params: names, required }: Method, value: unknown): Params {
  const isList = Array.isArray(value);
  if (!isList && !isMapping(value)) throw invalidRequest('params: expected a list or an object');
  if (isList && value.length > names.length) {
    throw invalidParams(
      `expected at most ${names.length} (${names.join(', ')}), got ${value.length}`,
    );
  }
  const params = isList
    ? Object.fromEntries(value.map((item: unknown, i) => [names[i] ?? '', item]))
    : value;
  for (const name of Object.keys(params)) {
    if (!names.includes(name))
      throw invalidParams(`expected ${names.join(', ')}, got ${show(name)}`);
  }
  const missing = names.slice(0, required).filter((name) => params[name] === undefined);
  if (missing.length > 0) throw invalidParams(`expected ${missing.join(', ')}, got none`);
  return params;
}

function methodNamed(methods: Methods, name: unknown): Method | undefined {
  return typeof name === 'string' && Object.hasOwn(methods, name) ? methods[name] : undefined;
}

const shown = (given: unknown) => (given === undefined ? 'none' : show(given));

function invalidRequest(message: string): RpcError {
  return new RpcError(INVALID_REQUEST, message);
}

function invalidParams(message: string): RpcError {
  return new RpcError(INVALID_PARAMS, `params: ${message}`);
}

export function errorResponse(id: unknown, code: number, message: string): RpcResponse {
  return { jsonrpc: '2.0', id, error: { code, message } };
}

/** The ID of a call; null when it has no valid one. */
function idOf(request: unknown): unknown {
  const id = isMapping(request) ? request['id'] : undefined;
  return id !== undefined && isId(id) ? id : null;
}

function isId(id: unknown): boolean {
  return id === undefined || id === null || typeof id === 'string' || typeof id === 'number';
}
