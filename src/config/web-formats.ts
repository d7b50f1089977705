/** Formats of the settings of the HTTP server. */

import { resolve } from 'node:path';
import { addressFamily } from '../shared/address.js';
import type { ListenAddress } from '../shared/listen-address.js';
import { nearestOf } from '../shared/nearest.js';
import { Expected, type Format } from './expected.js';

/** The length of `sun_path` in `struct sockaddr_un` (unix(7)), without the final zero byte. */
const MAX_UNIX_PATH_BYTES = 107;

/** `[host]:port`; without a host, every address. `unix:/path` is a Unix domain socket. */
export const listenAddress: Format<ListenAddress> = (given) => {
  const text = typeof given === 'string' ? given : '';
  if (text.startsWith('unix:')) return unixSocket(text.slice('unix:'.length));
  const [, host = '', port = ''] = /^(.*):(\d{1,5})$/s.exec(text) ?? [];
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  const isHost = bare === '' || bare === 'localhost' || addressFamily(bare) !== undefined;
  if (port === '' || Number(port) > 65535 || !isHost || (host === bare && host.includes(':'))) {
    const expected = 'an address to listen on, such as :10060, 127.0.0.1:10060 or unix:/run/x.sock';
    throw new Expected(expected, given);
  }
  return { kind: 'tcp', host: bare, port: Number(port) };
};

/** `unix:///run/x.sock` is the same as `unix:/run/x.sock`. */
function unixSocket(given: string): ListenAddress {
  const path = given.replace(/^\/\/(?=\/)/, '');
  if (path === '' || path.includes('\0')) throw new Expected('unix: and a path', `unix:${given}`);
  const bytes = Buffer.byteLength(resolve(path));
  if (bytes > MAX_UNIX_PATH_BYTES) {
    const expected = `a path of at most ${MAX_UNIX_PATH_BYTES} bytes for a Unix domain socket`;
    throw new Expected(expected, `${resolve(path)} (${bytes} bytes)`);
  }
  return { kind: 'unix', path: resolve(path) };
}

/** What a link may contain instead of a text of its own. */
const PLACEHOLDERS = ['{destination}', '{uri}'];

/** URLs by the names of the links. A string, as from the environment, is split at spaces. */
export const links: Format<Readonly<Record<string, string>>> = (given) => {
  const items: readonly unknown[] =
    typeof given === 'string' ? given.split(/\s+/).filter((item) => item !== '') : asList(given);
  const all = new Map<string, string>();
  for (const item of items) {
    const [name, url]: readonly unknown[] = Array.isArray(item)
      ? item
      : (/^([^=]*)=(.*)$/s.exec(String(item))?.slice(1) ?? []);
    if (typeof name !== 'string' || !/^[^\p{C}]{1,64}$/u.test(name) || all.has(name)) {
      throw new Expected('links as a mapping, or as NAME=URL, each name once', item);
    }
    all.set(name, linkUrl(url));
  }
  return Object.fromEntries(all);
};

function asList(given: unknown): readonly unknown[] {
  if (Array.isArray(given)) return given;
  throw new Expected('links as a mapping, or as NAME=URL', given);
}

/** The placeholders may not decide where the link leads to: host and port are the same for all destinations. */
function linkUrl(given: unknown): string {
  const text = typeof given === 'string' ? given : '';
  for (const [found] of text.matchAll(/\{[^}]*\}?/g)) {
    if (PLACEHOLDERS.includes(found)) continue;
    const nearest = nearestOf(found, PLACEHOLDERS);
    throw new Expected(`{destination} or {uri}${nearest}, with %7B for another brace`, found);
  }
  const filled = ['a', 'b'].map((value) => text.replace(/\{\w+\}/g, value));
  const [one, other] = filled.filter((url) => URL.canParse(url)).map((url) => new URL(url));
  const isHttp = one?.protocol === 'http:' || one?.protocol === 'https:';
  if (!isHttp || one.origin !== other?.origin || one.username !== '') {
    throw new Expected('an http:// or https:// URL with a fixed host', given);
  }
  return text;
}

const PATH = /^[A-Za-z0-9._~!$&'()*+,;=:@/-]*$/;

/** A path below which everything is served, without slashes at its end: `/sip`; `/` for the root. */
export const routePrefix: Format<string> = (given) => {
  const path = typeof given === 'string' ? given : undefined;
  if (path === undefined || !PATH.test(path)) {
    throw new Expected('a path such as /sip-keepalive', given);
  }
  const parts = path.split('/').filter((part) => part !== '');
  if (parts.some((part) => part === '.' || part === '..')) {
    throw new Expected('a path without . and ..', given);
  }
  return `/${parts.join('/')}`;
};

/** The paths of the other routes, and the folders that they are in. */
export const RESERVED_PATHS = [
  ...['/', '/alive', '/config', '/logs', '/probe', '/rpc'],
  ...['/-/', '/api/', '/page/'],
] as const;

/** The path of the metrics. */
export const telemetryPath: Format<string> = (given) => {
  const path = routePrefix(given);
  const isReserved = RESERVED_PATHS.some(
    (taken) => path === taken || (taken !== '/' && taken.endsWith('/') && path.startsWith(taken)),
  );
  if (isReserved) throw new Expected('a path such as /metrics that has no other use', given);
  return path;
};
