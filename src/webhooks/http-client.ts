/** Requests to HTTP servers, with the TLS and the credentials that their settings say. */

import * as http from 'node:http';
import * as https from 'node:https';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { BasicAuth, HttpReply, HttpRequest, Requester } from '../config/source-settings.js';
import { type Hop, nextRequest } from '../platform/redirects.js';
import type { TlsSettings } from '../shared/destination.js';
import { secretIn } from '../shared/secret-file.js';
import { secureContextOptions } from '../shared/tls-options.js';

/** What a body of unknown length is first given room for. */
const FIRST_BYTES = 64 << 10;
const MAX_BYTES = 64 << 20;

/** @param files what is in the files that settings name, by their paths. */
export function requester(userAgent: string, files: () => ReadonlyMap<string, string>): Requester {
  return async (settings, request, signal) => {
    const { timeoutMs, basicAuth, tls, followRedirects } = settings;
    const limit = limited(signal, timeoutMs);
    const optionsFor = ({ url, isTrusted }: Hop) => ({
      signal: limit.signal,
      headers: {
        'User-Agent': userAgent,
        'Accept-Encoding': 'gzip',
        ...request.headers,
        ...(isTrusted ? authorization(basicAuth, files()) : {}),
      },
      ...(url.protocol === 'https:' ? tlsOptions(isTrusted ? tls : unnamed(tls), files()) : {}),
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
      const isLate = limit.signal.aborted && !signal.aborted;
      throw isLate ? new Error(`no answer within ${timeoutMs / 1000} s`) : error;
    } finally {
      limit.end();
    }
  };
}

/**
 * Aborts with `signal`, or after this time. With a timer of its own: one of `AbortSignal.timeout`
 * that only `AbortSignal.any` refers to is collected as garbage, and then never ends the request.
 */
function limited(signal: AbortSignal, timeoutMs: number) {
  const limit = new AbortController();
  const abort = () => limit.abort();
  const timer = setTimeout(abort, timeoutMs);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  const end = () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  };
  return { signal: limit.signal, end };
}

function send(url: URL, options: https.RequestOptions, request: HttpRequest): Promise<HttpReply> {
  const { method, body, maxBytes = MAX_BYTES } = request;
  return new Promise((resolve, reject) => {
    const { request: open } = url.protocol === 'https:' ? https : http;
    const sent = open(url, { ...options, method }, (response) => {
      read(response, maxBytes).then(resolve, reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function read(response: http.IncomingMessage, maxBytes: number): Promise<HttpReply> {
  const { statusCode: status = 0, headers } = response;
  const { location = '', 'content-type': contentType = '' } = headers;
  // Node reads headers as ISO-8859-1; what is in there beyond ASCII is UTF-8 as a rule.
  const target = Buffer.from(location, 'latin1').toString('utf8');
  const reply = { status, contentType, location: status >= 300 && status < 400 ? target : '' };
  if (reply.location !== '') {
    response.destroy();
    return { ...reply, body: Buffer.alloc(0) };
  }
  return { ...reply, body: await readBody(response, maxBytes) };
}

/**
 * In one buffer, which grows: the pieces of a long body would leave the heap full of holes.
 *
 * @param maxBytes of the body after it is decompressed.
 */
async function readBody(response: http.IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLong = () => new Error(`expected at most ${maxBytes} bytes, got more`);
  const announced = Number(response.headers['content-length'] ?? Math.min(FIRST_BYTES, maxBytes));
  if (announced > maxBytes) {
    response.destroy();
    throw tooLong();
  }
  const content = decompressed(response);
  let bytes: Buffer = Buffer.allocUnsafeSlow(announced);
  let end = 0;
  for await (const piece of content as AsyncIterable<Buffer>) {
    if (end + piece.length > maxBytes) throw tooLong();
    if (end + piece.length > bytes.length) bytes = grown(bytes, end + piece.length, maxBytes);
    piece.copy(bytes, end);
    end += piece.length;
  }
  return bytes.subarray(0, end);
}

/** The content of a body (RFC 9110 8.4.1); servers compress what they were asked to or not. */
function decompressed(response: http.IncomingMessage): Readable {
  const coding = response.headers['content-encoding']?.toLowerCase() ?? '';
  if (coding === '' || coding === 'identity') return response;
  if (coding !== 'gzip' && coding !== 'x-gzip') {
    response.destroy();
    throw new Error(`expected the content coding gzip or none, got ${JSON.stringify(coding)}`);
  }
  // The reader of the content is told of errors; either of the two ends with the other.
  return pipeline(response, createGunzip(), () => {});
}

function grown(bytes: Buffer, atLeast: number, atMost: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(Math.min(Math.max(2 * bytes.length, atLeast), atMost));
  bytes.copy(larger);
  return larger;
}

function authorization(auth: BasicAuth | undefined, files: ReadonlyMap<string, string>) {
  if (auth === undefined) return {};
  const { passwordFile } = auth;
  const password = passwordFile === '' ? auth.password : secretIn(files.get(passwordFile) ?? '');
  const text = Buffer.from(`${auth.username}:${password}`).toString('base64');
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

/** Without what shows who we are, and whom we expect: for servers that the settings do not name. */
function unnamed(tls: TlsSettings): TlsSettings {
  return { ...tls, certFile: '', keyFile: '', keyPassphraseFile: '', serverName: '' };
}
