/** Requests to HTTP servers, with the TLS and the credentials that their settings say. */

import * as http from 'node:http';
import * as https from 'node:https';
import type { TlsSettings } from './shared/destination.js';
import { secretIn } from './shared/secret-file.js';
import type { BasicAuth, HttpReply, Requester } from './shared/sources.js';
import { secureContextOptions } from './shared/tls-options.js';

/** Longer answers are refused. */
const MOST_BYTES = 64 << 20;

/** @param files what is in the files that settings name, by their paths. */
export function requester(userAgent: string, files: () => ReadonlyMap<string, string>): Requester {
  return async (settings, { method, headers, body }, signal) => {
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
