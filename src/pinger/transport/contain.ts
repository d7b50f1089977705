/** What a listener of ours throws ends the connection that it listens to, as a fault of ours. */

import type { Socket } from 'node:net';
import type { Faults } from '../../shared/faults.js';
import { INTERNAL_ERROR } from './socket-errors.js';

/**
 * Thrown by a listener that has ended its connection: nothing more of the piece that is being read is
 * looked at, by whoever takes it apart.
 */
export class EndOfReading extends Error {
  override readonly name = 'EndOfReading';
}

/** Where `emit` would throw, the socket is destroyed, and its error tells why. */
export function containListeners(socket: Socket, faults: Faults): void {
  const emit = socket.emit.bind(socket) as (...args: unknown[]) => boolean;
  socket.emit = (...args: unknown[]): boolean => {
    try {
      return emit(...args);
    } catch (error) {
      if (error instanceof EndOfReading) return true;
      faults.report('connection', error);
      socket.destroy(Object.assign(new Error('internal error'), { code: INTERNAL_ERROR }));
      return true;
    }
  };
}
