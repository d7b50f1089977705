/** A fake pinger thread, without a thread, sockets or time. */

import { EventEmitter } from 'node:events';
import type { FromPinger, PingerStart, ToPinger } from '../../src/shared/protocol.js';
import type { PingerThread } from '../../src/supervisor/pinger-thread.js';

export class FakePinger extends EventEmitter implements PingerThread {
  /** The data that it was started with. */
  readonly given: PingerStart;
  readonly received: ToPinger[] = [];
  isTerminated = false;

  constructor(given: PingerStart) {
    super();
    this.given = given;
  }

  postMessage(message: ToPinger): void {
    this.received.push(message);
  }

  /** Sends a message to the main thread. */
  send(message: FromPinger): void {
    this.emit('message', message);
  }

  exit(error?: unknown): void {
    if (error !== undefined) this.emit('error', error);
    this.emit('exit', 1);
  }

  async terminate(): Promise<void> {
    this.isTerminated = true;
    this.exit();
  }

  /** The messages of one type that it has received. */
  ofType<Type extends ToPinger['type']>(type: Type): Extract<ToPinger, { type: Type }>[] {
    return this.received.filter(
      (message): message is Extract<ToPinger, { type: Type }> => message.type === type,
    );
  }
}
