/** Requests to HTTP servers, with the TLS and the credentials that their settings say. */

import * as http from 'node:http';
import * as https from 'node:https';
import type { TlsSettings } from './shared/destination.js';
import { type Hop, nextRequest } from './shared/redirects.js';
import { secretIn } from './shared/secret-file.js';
import type { BasicAuth, HttpReply, HttpRequest, Requester } from './shared/sources.js';
import { secureContextOptions } from './shared/tls-options.js';

/** What a body of unknown length is first given room for. */
const FIRST_BYTES = 64 << 10;
const MOST_BYTES = 64 << 20;

/** @param files what is in the files that settings name, by their paths. */
export function requester(userAgent: string, files: () => ReadonlyMap<string, string>): Requester {
  return async (settings, request, signal) => {
    const { timeoutMs, basicAuth, tls, followRedirects } = settings;
    const all = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(timeoutMs))]);
    const optionsFor = ({ url, isTrusted }: Hop) => ({
      signal: all,
      headers: {
        'User-Agent': userAgent,
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
      const isLate = error instanceof Error && error.name === 'AbortError' && !signal.aborted;
      throw isLate ? new Error(`no answer within ${timeoutMs / 1000} s`) : error;
    }
  };
}

function send(url: URL, options: https.RequestOptions, request: HttpRequest): Promise<HttpReply> {
  const { method, body, maxBytes = MOST_BYTES } = request;
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

/** In one buffer, which grows: the pieces of a long body would leave the heap full of holes. */
async function readBody(response: http.IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLong = () => new Error(`expected at most ${maxBytes} bytes, got more`);
  const announced = Number(response.headers['content-length'] ?? FIRST_BYTES);
  if (announced > maxBytes) {
    response.destroy();
    throw tooLong();
  }
  let bytes: Buffer = Buffer.allocUnsafeSlow(announced);
  let end = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    if (end + piece.length > maxBytes) throw tooLong();
    if (end + piece.length > bytes.length) bytes = grown(bytes, end + piece.length, maxBytes);
    piece.copy(bytes, end);
    end += piece.length;
  }
  return bytes.subarray(0, end);
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
