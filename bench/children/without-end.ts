/** Endless bytes, as fast as they are read. */

import type { Socket } from 'node:net';

/**
 * Sends the bytes again and again until the connection closes.
 *
 * @param onSent gets the number of bytes of each write.
 */
export function sendWithoutEnd(
  socket: Socket,
  bytes: Buffer,
  onSent: (bytes: number) => void = () => {},
): void {
  const more = () => {
    while (!socket.destroyed) {
      onSent(bytes.length);
      if (!socket.write(bytes)) return;
    }
  };
  socket.on('drain', more);
  more();
}

/** Copies of the bytes, about 64 KB. */
export function manyOf(bytes: Buffer): Buffer {
  const copies = Math.ceil(65_536 / bytes.length);
  return Buffer.concat(Array.from({ length: copies }, () => bytes));
}
