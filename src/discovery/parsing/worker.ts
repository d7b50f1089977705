/** The entry file of the thread that parses one long list. It exits after the last slice. */

import { parentPort, workerData } from 'node:worker_threads';
import { SourceError } from '../source-error.js';
import { type Job, type Parsed, perform } from './job.js';
import type { FromParser, ToParser } from './messages.js';

/** Number of entries per message. */
const SLICE_SIZE = 200;

const port = parentPort;
if (port === null) throw new Error('the parser must run in a worker thread');
const post = (message: FromParser) => port.postMessage(message);

function parsed(job: Job): Parsed | undefined {
  try {
    return perform(job);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    post({ type: 'invalid', message: error.message });
    return undefined;
  }
}

const job: Job = workerData;
const result = parsed(job);
if (result !== undefined) {
  const { found, remarks, listings = [], ...rest } = result;
  let from = 0;
  port.on('message', (_next: ToParser) => {
    const to = from + SLICE_SIZE;
    const isLast = to >= Math.max(found.length, remarks.length, listings.length);
    post({
      ...{ type: 'slice', isLast, found: found.slice(from, to) },
      ...{ remarks: remarks.slice(from, to), listings: listings.slice(from, to) },
    });
    from = to;
    if (isLast) port.close();
  });
  post({ type: 'parsed', rest });
}
