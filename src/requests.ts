/** Requests to HTTP servers, with the TLS and the credentials that their settings say. */

import * as http from 'node:http';
import * as https from 'node:https';
import type { TlsSettings } from './shared/destination.js';
import type { BasicAuth, HttpReply, Requester } from './shared/sources.js';

/** Longer answers are refused. */
const MOST_BYTES = 64 << 20;

const VERSIONS = { TLS10: 'TLSv1', TLS11: 'TLSv1.1', TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' } as const;

/** @param files what is in the files that settings name, by their paths. */
export function requester(userAgent: string, files: () => ReadonlyMap<string, string>): Requester {
  return (settings, { method, headers, body }, signal) => {
    const { url, timeoutMs, tls, basicAuth } = settings;
    const isSecure = url.startsWith('https:');
    const options: https.RequestOptions = {
      method,
      headers: { 'User-Agent': userAgent, ...headers, ...authorization(basicAuth, files()) },
      signal: AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(timeoutMs))]),
      ...(isSecure ? tlsOptions(tls, files()) : {}),
    };
    return new Promise((resolve, reject) => {
      const request = (isSecure ? https : http).request(url, options, (response) => {
        read(response).then(resolve, reject);
      });
      request.on('error', (error) => {
        const isLate = error.name === 'AbortError' && !signal.aborted;
        reject(isLate ? new Error(`no answer within ${timeoutMs / 1000} s`) : error);
      });
      request.end(body);
    });
  };
}

async function read(response: http.IncomingMessage): Promise<HttpReply> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > MOST_BYTES) throw new Error(`expected at most ${MOST_BYTES} bytes, got more`);
  }
  return {
    status: response.statusCode ?? 0,
    contentType: response.headers['content-type'] ?? '',
    body: Buffer.concat(pieces).toString('utf8'),
  };
}

function authorization(auth: BasicAuth | undefined, files: ReadonlyMap<string, string>) {
  if (auth === undefined) return {};
  const fromFile = files.get(auth.passwordFile)?.replace(/\r?\n$/, '');
  const password = auth.passwordFile === '' ? auth.password : (fromFile ?? '');
  const text = Buffer.from(`${auth.username}:${password}`).toString('base64');
  return { Authorization: `Basic ${text}` };
}

function tlsOptions(tls: TlsSettings, files: ReadonlyMap<string, string>): https.RequestOptions {
  const content = (path: string) => (path === '' ? undefined : files.get(path));
  const given = {
    ca: content(tls.caFile),
    cert: content(tls.certFile),
    key: content(tls.keyFile),
    passphrase: content(tls.keyPassphraseFile)?.replace(/\r?\n$/, ''),
    servername: tls.serverName === '' ? undefined : tls.serverName,
  };
  return {
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    minVersion: VERSIONS[tls.minVersion],
    maxVersion: VERSIONS[tls.maxVersion],
    rejectUnauthorized: !tls.insecureSkipVerify,
  };
}
