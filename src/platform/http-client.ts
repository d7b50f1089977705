/** Sends HTTP requests with TLS options and credentials of the settings. */

import type { IncomingMessage } from 'node:http';
import * as https from 'node:https';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Clock } from '../shared/clock.js';
import type { TlsSettings } from '../shared/destination.js';
import { secretIn } from '../shared/secret-file.js';
import { secureContextOptions } from '../shared/tls-options.js';
import type { HttpReply, HttpRequest, HttpSettings, Requester } from './http.js';
import { http } from './node-http.js';
import { type Hop, nextRequest } from './redirects.js';

/** Size of the first buffer for a body of unknown length. */
const FIRST_BYTES = 64 << 10;
const MAX_BYTES = 64 << 20;

export interface HttpClientOptions {
  readonly userAgent: string;
  /** Contents of the files that settings name, by path. */
  readonly files: () => ReadonlyMap<string, string>;
  readonly clock: Clock;
}

export function requester({ userAgent, files, clock }: HttpClientOptions): Requester {
  return async (settings, request, signal) => {
    const { timeoutMs, tls, followRedirects } = settings;
    const deadline = startDeadline(signal, timeoutMs, clock);
    const optionsFor = ({ url, isTrusted }: Hop) => ({
      signal: deadline.signal,
      headers: {
        'User-Agent': userAgent,
        'Accept-Encoding': 'gzip',
        ...request.headers,
        ...(isTrusted ? authorizationHeader(settings, files()) : {}),
      },
      ...(url.protocol === 'https:' ? tlsOptions(isTrusted ? tls : anonymous(tls), files()) : {}),
    });
    try {
      let hop: Hop = { url: new URL(settings.url), isTrusted: true, redirects: 0 };
      for (;;) {
        const reply = await send(hop.url, optionsFor(hop), request);
        const next = followRedirects ? nextRequest(hop, reply) : undefined;
        if (next === undefined) return reply;
        hop = next;
      }
    } catch (error) {
      const isLate = deadline.signal.aborted && !signal.aborted;
      throw isLate ? new Error(`no response within ${timeoutMs / 1000} s`) : error;
    } finally {
      deadline.cancel();
    }
  };
}

/**
 * Creates a signal that aborts with `signal` or after `timeoutMs`. It has its own timer, because a signal of
 * `AbortSignal.timeout` that only `AbortSignal.any` references is garbage-collected, and then the request
 * would never end.
 */
function startDeadline(signal: AbortSignal, timeoutMs: number, clock: Clock) {
  const deadline = new AbortController();
  const abort = () => deadline.abort();
  const stopTimer = clock.after(timeoutMs, abort);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  const cancel = () => {
    stopTimer();
    signal.removeEventListener('abort', abort);
  };
  return { signal: deadline.signal, cancel };
}

function send(url: URL, options: https.RequestOptions, request: HttpRequest): Promise<HttpReply> {
  const { method, body, maxBytes = MAX_BYTES } = request;
  return new Promise((resolve, reject) => {
    const { request: start } = url.protocol === 'https:' ? https : http;
    const sent = start(url, { ...options, method }, (response) => {
      read(response, maxBytes).then(resolve, reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function read(response: IncomingMessage, maxBytes: number): Promise<HttpReply> {
  const { statusCode: status = 0, headers } = response;
  const { location = '', 'content-type': contentType = '', 'retry-after': retryAfter } = headers;
  // Node.js decodes headers as ISO-8859-1, but headers that are not ASCII usually are UTF-8.
  const target = Buffer.from(location, 'latin1').toString('utf8');
  const reply = {
    ...{ status, contentType, location: status >= 300 && status < 400 ? target : '' },
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
  if (reply.location !== '') {
    response.destroy();
    return { ...reply, body: Buffer.alloc(0) };
  }
  return { ...reply, body: await readBody(response, maxBytes) };
}

/**
 * Reads a body into one growing buffer, because many small chunks would fragment the heap.
 *
 * @param maxBytes maximum length after decompression.
 */
async function readBody(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLong = () => new Error(`an answer of more than ${maxBytes} bytes`);
  const expectedBytes = Number(
    response.headers['content-length'] ?? Math.min(FIRST_BYTES, maxBytes),
  );
  if (expectedBytes > maxBytes) {
    response.destroy();
    throw tooLong();
  }
  const content = decompressed(response);
  let bytes: Buffer = Buffer.allocUnsafeSlow(expectedBytes);
  let end = 0;
  for await (const chunk of content as AsyncIterable<Buffer>) {
    if (end + chunk.length > maxBytes) throw tooLong();
    if (end + chunk.length > bytes.length) bytes = grown(bytes, end + chunk.length, maxBytes);
    chunk.copy(bytes, end);
    end += chunk.length;
  }
  return bytes.subarray(0, end);
}

/** Decodes the content coding (RFC 9110 8.4.1). A server may compress without a request for it. */
function decompressed(response: IncomingMessage): Readable {
  const coding = response.headers['content-encoding']?.toLowerCase() ?? '';
  if (coding === '' || coding === 'identity') return response;
  if (coding !== 'gzip' && coding !== 'x-gzip') {
    response.destroy();
    throw new Error(`expected the content coding gzip or none, got ${JSON.stringify(coding)}`);
  }
  // Errors are reported to the reader of the result; each of the two streams ends with the other.
  return pipeline(response, createGunzip(), () => {});
}

function grown(bytes: Buffer, minBytes: number, maxBytes: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(Math.min(Math.max(2 * bytes.length, minBytes), maxBytes));
  bytes.copy(larger);
  return larger;
}

function authorizationHeader(
  { basicAuth, authorization }: HttpSettings,
  files: ReadonlyMap<string, string>,
): Readonly<Record<string, string>> {
  const secret = (file: string, inline: string) =>
    file === '' ? inline : secretIn(files.get(file) ?? '');
  if (authorization !== undefined) {
    const { type, credentials, credentialsFile } = authorization;
    return { Authorization: `${type} ${secret(credentialsFile, credentials)}` };
  }
  if (basicAuth === undefined) return {};
  const password = secret(basicAuth.passwordFile, basicAuth.password);
  const text = Buffer.from(`${basicAuth.username}:${password}`).toString('base64');
  return { Authorization: `Basic ${text}` };
}

function tlsOptions(tls: TlsSettings, files: ReadonlyMap<string, string>): https.RequestOptions {
  const { serverName, insecureSkipVerify } = tls;
  return {
    ...secureContextOptions(tls, (path) => files.get(path) ?? ''),
    ...(serverName === '' ? {} : { servername: serverName }),
    rejectUnauthorized: !insecureSkipVerify,
  };
}

/** TLS settings for another server: without the client certificate and the configured server name. */
function anonymous(tls: TlsSettings): TlsSettings {
  return { ...tls, certFile: '', keyFile: '', keyPassphraseFile: '', serverName: '' };
}
