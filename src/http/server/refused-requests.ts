/** Answers to requests that the parser of Node.js refuses; its own answers do not say why. */

import type { Duplex } from 'node:stream';
import { http } from '../../platform/node-http.js';

/** By the code of the error. */
const REFUSALS: ReadonlyMap<string | undefined, readonly [status: number, text: string]> = new Map([
  [
    'HPE_HEADER_OVERFLOW',
    [431, `expected a URL and headers of at most ${http.maxHeaderSize} bytes together, got more`],
  ],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', [413, 'expected shorter chunk extensions']],
  ['ERR_HTTP_REQUEST_TIMEOUT', [408, 'expected the whole request sooner']],
]);
const MALFORMED = [400, 'expected HTTP/1.1'] as const;

/** Answers, unless another answer may be on its way, and closes the connection. */
export function refuse(error: NodeJS.ErrnoException, connection: Duplex, isInUse: boolean): void {
  if (!isInUse && connection.writable) {
    const [status, text] = REFUSALS.get(error.code) ?? MALFORMED;
    connection.write(
      `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
        `Content-Length: ${text.length + 1}\r\nConnection: close\r\n\r\n${text}\n`,
    );
  }
  connection.destroy();
}
