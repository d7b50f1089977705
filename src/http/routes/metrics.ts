/** `GET /metrics`. */

import { once } from 'node:events';
import { pipeline, type Writable } from 'node:stream';
import { setImmediate as nextRound } from 'node:timers/promises';
import { constants, createGzip } from 'node:zlib';
import type { Request, RequestHandler, Response } from 'express';
import { exposition } from '../../metrics/exposition.js';
import { type Encoding, type Format, negotiate } from '../../metrics/format.js';
import { ProtobufRenderer } from '../../metrics/protobuf/protobuf-renderer.js';
import type { ExporterMetrics, RenderSettings } from '../../metrics/renderer.js';
import { RowLabels } from '../../metrics/row-labels.js';
import { TextRenderer } from '../../metrics/text-renderer.js';
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
const OFFERED: readonly Encoding[] = ['text', 'openmetrics', 'protobuf'];

export interface MetricsOptions {
  readonly status: StatusContext;
  /** Rendered before the metrics of destinations. */
  readonly exporterMetrics: ExporterMetrics;
  /** Those in force now. */
  readonly settings: () => RenderSettings;
}

export function metricsHandler(options: MetricsOptions): RequestHandler {
  const limit = new ConcurrencyLimit({ max: MAX_CONCURRENT });
  const rowLabels = new RowLabels();
  return async (request, response) => {
    if (!(await limit.acquire(response))) return rejectBusy(response);
    try {
      await answer(request, response, { ...options, rowLabels });
    } finally {
      limit.release(response);
    }
  };
}

async function answer(
  request: Request,
  response: Response,
  options: MetricsOptions & { readonly rowLabels: RowLabels },
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
    await write(piecesOf(options, format), sink, closed.signal);
  } catch (error) {
    if (!closed.signal.aborted) throw error;
  } finally {
    clearTimeout(timeout);
  }
}

function piecesOf(
  { status, exporterMetrics, settings, rowLabels }: Parameters<typeof answer>[2],
  format: Format,
): AsyncIterable<string | Uint8Array> {
  const { encoding } = format;
  const options = { status, format, rowLabels };
  if (encoding === 'protobuf') {
    return exposition(options, new ProtobufRenderer(exporterMetrics, settings()));
  }
  return exposition(options, new TextRenderer(encoding, exporterMetrics, settings()));
}

/** Writes no faster than the client reads, and lets other work run between pieces. */
async function write(
  pieces: AsyncIterable<string | Uint8Array>,
  sink: Writable,
  signal: AbortSignal,
) {
  let sliceStartMs = performance.now();
  for await (const piece of pieces) {
    signal.throwIfAborted();
    if (piece.length > 0 && !sink.write(piece)) await once(sink, 'drain', { signal });
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
