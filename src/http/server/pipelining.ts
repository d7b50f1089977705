/**
 * Pipelined requests (RFC 9112 9.3.2) are answered in order anyway, so each one starts when the one
 * before it is answered: a connection has one request under way however many it sends.
 */

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests that may wait on one connection; the next one is refused, and ends the connection. */
const MAX_WAITING = 100;
/** With so many the connection is not read for a while. */
const PAUSE_AT = 16;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export function pipelined(handler: RequestListener): RequestListener {
  const lines = new WeakMap<Socket, Line>();
  return (request, response) => {
    const { socket } = request;
    const line = lines.get(socket) ?? new Line(socket, handler);
    lines.set(socket, line);
    line.take({ request, response });
  };
}

class Line {
  readonly #socket: Socket;
  readonly #handler: RequestListener;
  readonly #waiting: Exchange[] = [];
  #isBusy = false;
  /** The client is told that the connection ends; what it sends from then on is not looked at. */
  #isEnding = false;

  constructor(socket: Socket, handler: RequestListener) {
    this.#socket = socket;
    this.#handler = handler;
  }

  take(exchange: Exchange): void {
    if (this.#isEnding) return;
    if (!this.#isBusy) this.#begin(exchange);
    else if (this.#waiting.length < MAX_WAITING) {
      this.#waiting.push(exchange);
      if (this.#waiting.length >= PAUSE_AT) this.#socket.pause();
    } else {
      this.#isEnding = true;
      refuse(exchange.response, true);
    }
  }

  #begin({ request, response }: Exchange): void {
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
    this.#begin(next);
  }
}

/** Answers that there is too much to do just now (RFC 9110 15.6.4). */
export function refuse(response: ServerResponse, isLast = false): void {
  if (response.destroyed || response.headersSent) return;
  const body = 'Too many requests are under way; try again\n';
  response.writeHead(503, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Retry-After': '1',
    ...(isLast ? { Connection: 'close' } : {}),
  });
  response.end(body);
}
