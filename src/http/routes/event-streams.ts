/**
 * Streams changes of state to clients. Each client has a position in the log of changes and gets the next
 * piece when it has read the previous one, so a slow or reconnecting client needs memory for one piece. A
 * client is disconnected when the log does not have its next change any more; it reconnects with
 * Last-Event-ID.
 */

import type { Clock } from '../../shared/clock.js';
import { changeJson, eventName } from '../../status/describe-change.js';
import type { StateChange } from '../../status/state-change.js';
import type { ChangeSource } from '../../status/state-change-log.js';

/** Minimum time between two pieces, ms. Changes in between are sent together. */
const BATCH_MS = 100;
/** Time after which sending lets other work run, ms. */
const SLICE_MS = 5;
/** A piece is complete when it has this many bytes or this many events. */
const PIECE_BYTES = 64 * 1024;
const PIECE_EVENTS = 256;
/** Number of pieces that are kept for other clients. */
const MAX_PIECES = 16;
/** Interval of keep-alive comments. */
const HEARTBEAT_MS = 15_000;

/** The response of a client. */
export interface Sink {
  /** Returns false when the caller should wait for `drain`. */
  write(piece: string | Buffer): boolean;
  once(event: 'drain' | 'close', listener: () => void): unknown;
  destroy(): unknown;
}

interface Client {
  readonly sink: Sink;
  /** The number of the last change that was sent to it. */
  number: number;
  /** Whether it has not read everything that was sent. */
  isBlocked: boolean;
  /** Whether it has once received the newest change. */
  hasCaughtUp: boolean;
}

interface Piece {
  /** The number of its last change. */
  readonly last: number;
  readonly bytes: Buffer;
}

export class EventStreams {
  readonly #changes: ChangeSource;
  readonly #clock: Clock;
  readonly #clients = new Set<Client>();
  /** Clients that can receive the next piece. */
  readonly #ready = new Set<Client>();
  /** Pieces by the number of the change before each, so that clients share the bytes. */
  readonly #pieces = new Map<number, Piece>();
  #unsubscribe = () => {};
  #stopHeartbeat = () => {};
  #cancelRound: (() => void) | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #lastRoundMs = -Infinity;

  constructor(changes: ChangeSource, clock: Clock) {
    this.#changes = changes;
    this.#clock = clock;
  }

  /** Number of connected clients. */
  get size(): number {
    return this.#clients.size;
  }

  /** Sends the changes after the one with this number, and later ones, until `sink` closes. */
  add(sink: Sink, number: number): void {
    if (this.#clients.size === 0) this.#start();
    const client = { sink, number, isBlocked: false, hasCaughtUp: false };
    this.#clients.add(client);
    sink.once('close', () => this.#remove(client));
    this.#makeReady(client);
  }

  #start(): void {
    this.#unsubscribe = this.#changes.subscribe(() => this.#scheduleRound());
    this.#scheduleHeartbeat();
  }

  #remove(client: Client): void {
    this.#clients.delete(client);
    this.#ready.delete(client);
    if (this.#clients.size > 0) return;
    this.#unsubscribe();
    this.#stopHeartbeat();
    this.#cancelRound?.();
    this.#cancelRound = undefined;
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
  }

  #scheduleRound(): void {
    if (this.#cancelRound !== undefined) return;
    const pauseMs = Math.max(this.#lastRoundMs + BATCH_MS - this.#clock.now(), 0);
    this.#cancelRound = this.#clock.after(pauseMs, () => {
      this.#cancelRound = undefined;
      this.#lastRoundMs = this.#clock.now();
      for (const client of this.#clients) {
        if (!client.isBlocked) this.#ready.add(client);
      }
      this.#round();
    });
  }

  #makeReady(client: Client): void {
    client.isBlocked = false;
    this.#ready.add(client);
    this.#continue();
  }

  /** Schedules the next round after other work. */
  #continue(): void {
    this.#immediate ??= setImmediate(() => {
      this.#immediate = undefined;
      this.#round();
    });
  }

  #round(): void {
    const endMs = this.#clock.now() + SLICE_MS;
    for (const client of this.#ready) {
      this.#ready.delete(client);
      this.#send(client);
      if (this.#clock.now() > endMs) break;
    }
    if (this.#ready.size > 0) this.#continue();
    else this.#pieces.clear();
  }

  #send(client: Client): void {
    const { sink } = client;
    const { oldest, newest } = this.#changes;
    if (client.number + 1 < oldest) {
      if (client.hasCaughtUp) {
        sink.destroy();
        return;
      }
      // It reconnected with an ID that was kept then, but the log has advanced since.
      client.number = oldest - 1;
    }
    const piece = this.#pieceAfter(client.number);
    if (piece === undefined) return;
    client.number = piece.last;
    client.hasCaughtUp ||= piece.last === newest;
    if (!sink.write(piece.bytes)) {
      client.isBlocked = true;
      sink.once('drain', () => this.#makeReady(client));
    } else if (piece.last < newest) this.#ready.add(client);
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

  #scheduleHeartbeat(): void {
    this.#stopHeartbeat = this.#clock.after(HEARTBEAT_MS, () => {
      for (const { sink, isBlocked } of this.#clients) {
        if (!isBlocked) sink.write(': keep-alive\n\n');
      }
      this.#scheduleHeartbeat();
    });
  }
}

/** A server-sent event (HTML standard, 9.2.5). */
function eventText(change: StateChange): string {
  return `id: ${change.id}\nevent: ${eventName(change)}\ndata: ${changeJson(change)}\n\n`;
}
