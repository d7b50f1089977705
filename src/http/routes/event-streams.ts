/**
 * Changed verdicts on their way to clients that listen: each client has a place in the list of
 * changes and gets the next piece of it when it has read the one before. So a client that is slow,
 * or comes back after a while, costs a piece of memory and no more; one that is so slow that the
 * list has moved on is cut off, and comes back with Last-Event-ID.
 */

import { changeJson, eventName } from '../../status/describe-change.js';
import type { StateChange } from '../../status/state-change.js';
import type { Exporter } from '../exporter.js';

/** Changes that come within this time of the last piece are sent together, ms. */
const PACE_MS = 100;
/** How long sending may hold the thread at a stretch, ms. */
const SLICE_MS = 5;
/** What a client may have unread before it gets more: about so many bytes, and so many events. */
const PIECE_BYTES = 64 * 1024;
const PIECE_EVENTS = 256;
/** Pieces that are kept for other listeners. */
const MAX_PIECES = 16;
/** How often a silent connection is used. */
const HEARTBEAT_MS = 15_000;

/** What a listener is written to. */
export interface Sink {
  /** False when no more should be written until `drain`. */
  write(piece: string | Buffer): boolean;
  once(event: 'drain' | 'close', listener: () => void): unknown;
  destroy(): unknown;
}

interface Listener {
  readonly sink: Sink;
  /** The number of the last change that it was sent. */
  number: number;
  /** It has not read what it was sent. */
  isBlocked: boolean;
  /** It has been sent everything at least once. */
  isUpToDate: boolean;
}

interface Piece {
  /** The number of its last change. */
  readonly last: number;
  readonly bytes: Buffer;
}

export class EventStreams {
  readonly #changes: Exporter['changes'];
  readonly #listeners = new Set<Listener>();
  /** Those that can be sent something. */
  readonly #ready = new Set<Listener>();
  /** By the number of the change before it, until all have it: listeners share the bytes. */
  readonly #pieces = new Map<number, Piece>();
  #unsubscribe = () => {};
  #heartbeat: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #lastRoundMs = -Infinity;

  constructor(changes: Exporter['changes']) {
    this.#changes = changes;
  }

  get size(): number {
    return this.#listeners.size;
  }

  /** Sends the changes after the one with this number, and those to come, until `sink` is closed. */
  add(sink: Sink, number: number): void {
    if (this.#listeners.size === 0) this.#start();
    const listener = { sink, number, isBlocked: false, isUpToDate: false };
    this.#listeners.add(listener);
    sink.once('close', () => this.#remove(listener));
    this.#makeReady(listener);
  }

  #start(): void {
    this.#unsubscribe = this.#changes.subscribe(() => this.#newsCame());
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS);
  }

  #remove(listener: Listener): void {
    this.#listeners.delete(listener);
    this.#ready.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#unsubscribe();
    clearInterval(this.#heartbeat);
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#timer = undefined;
    this.#immediate = undefined;
  }

  #newsCame(): void {
    if (this.#timer !== undefined) return;
    const pauseMs = Math.max(this.#lastRoundMs + PACE_MS - performance.now(), 0);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#lastRoundMs = performance.now();
      for (const listener of this.#listeners) {
        if (!listener.isBlocked) this.#ready.add(listener);
      }
      this.#round();
    }, pauseMs);
  }

  #makeReady(listener: Listener): void {
    listener.isBlocked = false;
    this.#ready.add(listener);
    this.#continue();
  }

  /** Others get their turn before the next round. */
  #continue(): void {
    this.#immediate ??= setImmediate(() => {
      this.#immediate = undefined;
      this.#round();
    });
  }

  #round(): void {
    const endMs = performance.now() + SLICE_MS;
    for (const listener of this.#ready) {
      this.#ready.delete(listener);
      this.#send(listener);
      if (performance.now() > endMs) break;
    }
    if (this.#ready.size > 0) this.#continue();
    else this.#pieces.clear();
  }

  #send(listener: Listener): void {
    const { sink } = listener;
    const { oldest, newest } = this.#changes;
    if (listener.number + 1 < oldest) {
      if (listener.isUpToDate) {
        sink.destroy();
        return;
      }
      // It came for what is kept, and that has become less meanwhile.
      listener.number = oldest - 1;
    }
    const piece = this.#pieceAfter(listener.number);
    if (piece === undefined) return;
    listener.number = piece.last;
    listener.isUpToDate ||= piece.last === newest;
    if (!sink.write(piece.bytes)) {
      listener.isBlocked = true;
      sink.once('drain', () => this.#makeReady(listener));
    } else if (piece.last < newest) this.#ready.add(listener);
  }

  #pieceAfter(number: number): Piece | undefined {
    const known = this.#pieces.get(number);
    if (known !== undefined) return known;
    const texts: string[] = [];
    let length = 0;
    for (const change of this.#changes.after(number, PIECE_EVENTS)) {
      const text = eventText(change);
      texts.push(text);
      length += text.length;
      if (length >= PIECE_BYTES) break;
    }
    if (texts.length === 0) return undefined;
    const piece = { last: number + texts.length, bytes: Buffer.from(texts.join('')) };
    if (this.#pieces.size >= MAX_PIECES) this.#pieces.clear();
    this.#pieces.set(number, piece);
    return piece;
  }

  #beat(): void {
    for (const { sink, isBlocked } of this.#listeners) {
      if (!isBlocked) sink.write(': still here\n\n');
    }
  }
}

/** The HTML standard, 9.2.5. */
function eventText(change: StateChange): string {
  return `id: ${change.id}\nevent: ${eventName(change)}\ndata: ${changeJson(change)}\n\n`;
}
