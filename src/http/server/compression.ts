/** Answers as gzip, for clients that accept it (RFC 9110 12.5.3). */

import { pipeline, type Writable } from 'node:stream';
import { promisify } from 'node:util';
import { constants, createGzip, gzip } from 'node:zlib';
import type { Request, Response } from 'express';

/** A shorter body fits in one packet as it is. */
const MIN_BYTES = 1200;
const FAST = { level: constants.Z_BEST_SPEED };
/** Bytes that wait for the compressor, which has a thread of its own, while more of a response is made. */
const STREAM = { ...FAST, writableHighWaterMark: 256 * 1024 };
const zip = promisify(gzip);

/** Whether the client accepts gzip. The answer says that it depends on this. */
export function acceptsGzip(request: Request, response: Response): boolean {
  response.vary('Accept-Encoding');
  return request.acceptsEncodings('gzip') !== false;
}

/** The response, behind a compressor if the client accepts gzip. */
export function compressed(request: Request, response: Response): Writable {
  if (!acceptsGzip(request, response)) return response;
  response.setHeader('Content-Encoding', 'gzip');
  const stream = createGzip(STREAM);
  // An error of one stream destroys the other. A client that disconnects is not an error.
  pipeline(stream, response, () => {});
  return stream;
}

/** Answers with JSON. It is compressed in another thread, if it is long. */
export async function sendJson(request: Request, response: Response, value: object): Promise<void> {
  const text = JSON.stringify(value);
  response.type('application/json');
  if (!acceptsGzip(request, response) || text.length < MIN_BYTES) {
    response.send(text);
    return;
  }
  const body = await zip(text, FAST);
  response.setHeader('Content-Encoding', 'gzip');
  response.send(body);
}
