/** Long answers, made and written piece by piece, so that other requests do not wait for them. */

import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { setImmediate as nextRound } from 'node:timers/promises';
import type { Request, Response } from 'express';
import { compressed } from './compression.js';

/** Time after which other work runs. */
const SLICE_MS = 5;
/** A client that has not read its response after this time is disconnected. */
const MAX_ANSWER_MS = 120_000;

export type Pieces = Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/**
 * Answers with these pieces, compressed if the client accepts that. Ends early when the client disconnects.
 *
 * @param pieces each takes well under SLICE_MS; an empty one is an occasion to let other work run.
 */
export async function answerInPieces(
  request: Request,
  response: Response,
  pieces: Pieces,
): Promise<void> {
  const closed = new AbortController();
  const timeout = setTimeout(() => response.destroy(), MAX_ANSWER_MS);
  response.once('close', () => closed.abort());
  const sink = compressed(request, response);
  try {
    if (request.method !== 'HEAD') await write(pieces, sink, closed.signal);
    sink.end();
  } catch (error) {
    if (!closed.signal.aborted) throw error;
  } finally {
    clearTimeout(timeout);
  }
}

/** Writes no faster than the client reads, and lets other work run between pieces. */
async function write(pieces: Pieces, sink: Writable, signal: AbortSignal): Promise<void> {
  let sliceStartMs = performance.now();
  for await (const piece of pieces) {
    signal.throwIfAborted();
    if (piece.length > 0 && !sink.write(piece)) await once(sink, 'drain', { signal });
    // A socket that accepts everything drains without a round of the event loop.
    if (performance.now() - sliceStartMs < SLICE_MS) continue;
    await nextRound();
    sliceStartMs = performance.now();
  }
}
