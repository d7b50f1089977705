/** Requests to the exporter. */

import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';

export type Headers = Readonly<Record<string, string>>;

/** How Prometheus asks. */
export const LIKE_PROMETHEUS: Headers = {
  accept: 'application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5',
  'accept-encoding': 'gzip',
};

export interface Download {
  /** From the request to the last byte. */
  readonly millis: number;
  readonly bytes: number;
}

/** Takes the whole answer; the body goes to `take`, or nowhere. @throws when it is no 200. */
export async function download(
  url: string,
  headers: Headers = {},
  take: (bytes: Buffer) => void = () => {},
): Promise<Download> {
  const began = performance.now();
  const response = await open(url, headers);
  let bytes = 0;
  for await (const chunk of response) {
    bytes += chunk.length;
    take(chunk);
  }
  return { millis: performance.now() - began, bytes };
}

/** The whole answer as text. */
export async function text(url: string): Promise<string> {
  const chunks: Buffer[] = [];
  await download(url, {}, (chunk) => chunks.push(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** The lines of an answer as they come; whoever has heard enough hangs up by leaving the loop. */
export async function* lines(
  url: string,
  headers: Headers = {},
): AsyncGenerator<string, void, undefined> {
  const response = await open(url, headers);
  let rest = '';
  try {
    for await (const chunk of response) {
      const pieces = (rest + chunk.toString('utf8')).split('\n');
      rest = pieces.pop() ?? '';
      yield* pieces;
    }
    if (rest !== '') yield rest;
  } finally {
    response.destroy();
  }
}

async function open(url: string, headers: Headers): Promise<IncomingMessage> {
  const asked = request(url, { headers, agent: false });
  asked.end();
  const [response]: IncomingMessage[] = await once(asked, 'response');
  if (response?.statusCode === 200) return response;
  response?.destroy();
  throw new Error(`${url}: expected 200, got ${response?.statusCode}`);
}
