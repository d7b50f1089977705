/** The entry of the thread that parses one long list. It ends with its last slice. */

import { parentPort, workerData } from 'node:worker_threads';
import { SourceError } from '../source-error.js';
import { type Job, type Parsed, perform } from './job.js';
import type { FromParser, ToParser } from './messages.js';

/** Entries of a slice. */
const SLICE = 500;

const port = parentPort;
if (port === null) throw new Error('the parser runs in a thread of its own');
const post = (message: FromParser) => port.postMessage(message);

function parsed(job: Job): Parsed | undefined {
  try {
    return perform(job);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    post({ type: 'refused', message: error.message });
    return undefined;
  }
}

const job: Job = workerData;
const result = parsed(job);
if (result !== undefined) {
  const { found, skipped, files } = result;
  let from = 0;
  port.on('message', (_next: ToParser) => {
    const to = from + SLICE;
    const isLast = to >= Math.max(found.length, skipped.length);
    const slice = { found: found.slice(from, to), skipped: skipped.slice(from, to), isLast };
    post({ type: 'slice', ...slice });
    from = to;
    if (isLast) port.close();
  });
  post({ type: 'parsed', files });
}
