/** Contains exceptions of a socket's listeners: the connection is closed and an internal error reported. */

import type { Socket } from 'node:net';
import type { Faults } from '../../shared/faults.js';
import { INTERNAL_ERROR } from './socket-errors.js';

/**
 * Thrown by a listener that has closed its connection, so that the parser which called it skips the rest
 * of the chunk.
 */
export class StopReading extends Error {
  override readonly name = 'StopReading';
}

/** Destroys the socket with an error where its `emit` would throw. */
export function containListeners(socket: Socket, faults: Faults): void {
  const emit = socket.emit.bind(socket) as (...args: unknown[]) => boolean;
  socket.emit = (...args: unknown[]): boolean => {
    try {
      return emit(...args);
    } catch (error) {
      if (error instanceof StopReading) return true;
      faults.report('connection', error);
      socket.destroy(Object.assign(new Error('internal error'), { code: INTERNAL_ERROR }));
      return true;
    }
  };
}
