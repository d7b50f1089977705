/** `GET /metrics`. */

import { once } from 'node:events';
import { pipeline, type Writable } from 'node:stream';
import { setImmediate as nextRound } from 'node:timers/promises';
import { constants, createGzip } from 'node:zlib';
import type { Request, RequestHandler, Response } from 'express';
import type { ExporterMetrics } from '../../metrics/exporter-metrics.js';
import { type ExpositionOptions, exposition } from '../../metrics/exposition.js';
import { type Encoding, negotiate } from '../../metrics/format.js';
import { RowLabels } from '../../metrics/row-labels.js';
import type { StatusContext } from '../../status/freshness.js';
import { ConcurrencyLimit } from '../server/concurrency-limit.js';
import { rejectBusy } from '../server/pipelining.js';

/** Time after which rendering lets other work run. */
const SLICE_MS = 5;
/** A client that has not read its response after this time is disconnected. */
const MAX_ANSWER_MS = 120_000;
/** Maximum number of concurrent responses; each has a copy of the ledger's rows. */
const MAX_CONCURRENT = 16;
/** The formats in which an answer can be written. */
const OFFERED: readonly Encoding[] = ['text', 'openmetrics'];

/** @param exporterMetrics rendered before the metrics of destinations. */
export function metricsHandler(
  status: StatusContext,
  exporterMetrics: ExporterMetrics,
): RequestHandler {
  const limit = new ConcurrencyLimit({ max: MAX_CONCURRENT });
  const rowLabels = new RowLabels();
  return async (request, response) => {
    if (!(await limit.acquire(response))) return rejectBusy(response);
    try {
      await answer(request, response, { status, exporterMetrics, rowLabels });
    } finally {
      limit.release(response);
    }
  };
}

async function answer(
  request: Request,
  response: Response,
  options: Omit<ExpositionOptions, 'format'>,
) {
  const format = negotiate(request.headers.accept ?? '', OFFERED);
  response.setHeader('Content-Type', format.contentType);
  response.setHeader('Vary', 'Accept, Accept-Encoding');
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const closed = new AbortController();
  const timeout = setTimeout(() => response.destroy(), MAX_ANSWER_MS);
  response.once('close', () => closed.abort());
  const sink = compressed(request, response);
  try {
    await write(exposition({ ...options, format }), sink, closed.signal);
  } catch (error) {
    if (!closed.signal.aborted) throw error;
  } finally {
    clearTimeout(timeout);
  }
}

/** Writes no faster than the client reads, and lets other work run between pieces. */
async function write(pieces: AsyncIterable<string>, sink: Writable, signal: AbortSignal) {
  let sliceStartMs = performance.now();
  for await (const piece of pieces) {
    signal.throwIfAborted();
    if (piece !== '' && !sink.write(piece)) await once(sink, 'drain', { signal });
    // A socket that accepts everything drains without a round of the event loop.
    if (performance.now() - sliceStartMs < SLICE_MS) continue;
    await nextRound();
    sliceStartMs = performance.now();
  }
  sink.end();
}

/** The response, behind a compressor if the client accepts gzip. */
function compressed(request: Request, response: Response): Writable {
  if (request.acceptsEncodings('gzip') === false) return response;
  response.setHeader('Content-Encoding', 'gzip');
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  // An error of one stream destroys the other. A client that disconnects is not an error.
  pipeline(gzip, response, () => {});
  return gzip;
}
