/** Bytes as fast as the reader takes them. */

import type { Socket } from 'node:net';

/**
 * Sends the bytes again and again until the connection closes.
 *
 * @param onSent is given how many bytes were handed over each time.
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

/** So many copies that they are about 64 KB. */
export function manyOf(bytes: Buffer): Buffer {
  const copies = Math.ceil(65_536 / bytes.length);
  return Buffer.concat(Array.from({ length: copies }, () => bytes));
}
