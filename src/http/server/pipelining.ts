/**
 * Handles the pipelined requests of a connection one at a time. Their responses must be in order anyway (RFC
 * 9112 9.3.2).
 */

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Maximum number of waiting requests per connection. A further one is rejected and closes the connection. */
const MAX_WAITING = 100;
/** The connection is not read while this many requests wait. */
const PAUSE_AT = 16;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export function pipelined(handler: RequestListener): RequestListener {
  const queues = new WeakMap<Socket, RequestQueue>();
  return (request, response) => {
    const { socket } = request;
    const queue = queues.get(socket) ?? new RequestQueue(socket, handler);
    queues.set(socket, queue);
    queue.add({ request, response });
  };
}

/** The requests of one connection. */
class RequestQueue {
  readonly #socket: Socket;
  readonly #handler: RequestListener;
  readonly #waiting: Exchange[] = [];
  #isBusy = false;
  /** The last response has `Connection: close`, so further requests are ignored. */
  #isClosing = false;

  constructor(socket: Socket, handler: RequestListener) {
    this.#socket = socket;
    this.#handler = handler;
  }

  add(exchange: Exchange): void {
    if (this.#isClosing) return;
    if (!this.#isBusy) this.#handle(exchange);
    else if (this.#waiting.length < MAX_WAITING) {
      this.#waiting.push(exchange);
      if (this.#waiting.length >= PAUSE_AT) this.#socket.pause();
    } else {
      this.#isClosing = true;
      rejectBusy(exchange.response, true);
    }
  }

  #handle({ request, response }: Exchange): void {
    this.#isBusy = true;
    response.once('close', () => this.#next());
    this.#handler(request, response);
  }

  #next(): void {
    this.#isBusy = false;
    const next = this.#socket.destroyed ? undefined : this.#waiting.shift();
    if (next === undefined) {
      this.#waiting.length = 0;
      return;
    }
    if (this.#waiting.length < PAUSE_AT) this.#socket.resume();
    this.#handle(next);
  }
}

/**
 * Answers 503 (RFC 9110 15.6.4).
 *
 * @param isLast also closes the connection.
 */
export function rejectBusy(response: ServerResponse, isLast = false): void {
  if (response.destroyed || response.headersSent) return;
  const body = 'Too many concurrent requests; try again\n';
  response.writeHead(503, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Retry-After': '1',
    ...(isLast ? { Connection: 'close' } : {}),
  });
  response.end(body);
}
