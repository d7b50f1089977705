/** HTTP requests to the exporter. */

import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';

export type Headers = Readonly<Record<string, string>>;

/** Headers of Prometheus. */
export const LIKE_PROMETHEUS: Headers = {
  accept: 'application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5',
  'accept-encoding': 'gzip',
};

/** Headers of a Prometheus that stores native histograms. */
export const LIKE_NATIVE_PROMETHEUS: Headers = {
  accept:
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8',
  'accept-encoding': 'gzip',
};

export interface Download {
  /** From the request to the last byte. */
  readonly millis: number;
  readonly bytes: number;
}

/** Downloads a response; `onChunk` gets the body. @throws when the status is not 200. */
export async function download(
  url: string,
  headers: Headers = {},
  onChunk: (bytes: Buffer) => void = () => {},
): Promise<Download> {
  const began = performance.now();
  const response = await open(url, headers);
  let bytes = 0;
  for await (const chunk of response) {
    bytes += chunk.length;
    onChunk(chunk);
  }
  return { millis: performance.now() - began, bytes };
}

/** The response body as text. */
export async function text(url: string): Promise<string> {
  const chunks: Buffer[] = [];
  await download(url, {}, (chunk) => chunks.push(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** The lines of a response as they arrive. Leaving the loop closes the connection. */
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
  const sent = request(url, { headers, agent: false });
  sent.end();
  const [response]: IncomingMessage[] = await once(sent, 'response');
  if (response?.statusCode === 200) return response;
  response?.destroy();
  throw new Error(`${url}: expected 200, got ${response?.statusCode}`);
}
