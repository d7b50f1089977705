/** Calls a Kamailio by JSON-RPC 2.0 over HTTP (its modules `jsonrpcs` and `xhttp`). */

import type { HttpReply, HttpSettings, Requester } from '../../platform/http.js';
import { isMapping, kindOf, show } from '../../platform/values.js';
import { MAX_BYTES } from '../limits.js';

/** A problem says which method failed, what was expected and what came instead. */
export type RpcAnswer = { readonly result: unknown } | { readonly problem: string };

export interface RpcCall {
  readonly method: string;
  readonly params?: readonly (string | number)[];
}

/** The parts of a response that matter here; `body` may come from another thread. */
export type RpcReply = Pick<HttpReply, 'status' | 'contentType'> & { readonly body: Uint8Array };

/** Sends a call. The response may hold an error. Never rejects. */
export async function postCall(
  request: Requester,
  http: HttpSettings,
  { method, params }: RpcCall,
  signal: AbortSignal,
): Promise<RpcReply | { readonly problem: string }> {
  const headers = { Accept: 'application/json', 'Content-Type': 'application/json' };
  const body = JSON.stringify({ jsonrpc: '2.0', method, ...(params && { params }), id: 1 });
  try {
    const sent = { method: 'POST', headers, body, maxBytes: MAX_BYTES } as const;
    return await request(http, sent, signal);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { problem: `${method}: expected a response, got ${reason}` };
  }
}

/** The answer in the response to a call. */
export function answerIn({ status, contentType, body }: RpcReply, method: string): RpcAnswer {
  const parsed = parse(body);
  // Kamailio sends its errors with the status of the error.
  const error = isMapping(parsed) ? parsed['error'] : undefined;
  if (isMapping(error)) {
    const text = show(error['message'] ?? 'no message');
    return { problem: `${method}: expected a result, got the error ${text}` };
  }
  if (status !== 200) return { problem: `${method}: expected status 200, got ${status}` };
  if (parsed === undefined) {
    const got = `a text that is not JSON (Content-Type ${show(contentType)})`;
    return { problem: `${method}: expected a JSON-RPC response, got ${got}` };
  }
  if (isMapping(parsed) && Object.hasOwn(parsed, 'result')) return { result: parsed['result'] };
  return { problem: `${method}: expected a JSON-RPC response, got ${kindOf(parsed)}` };
}

/** Undefined when the text is not JSON. */
function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
  } catch {
    return undefined;
  }
}
