/** Reads the settings of a running Kamailio: `discovery.kamailio_rpc`. */

import { Expected, type Format } from './expected.js';
import type { Read } from './fields.js';
import { FORMATS } from './formats.js';
import { HTTP, readHttp } from './http-settings.js';
import type { Report } from './problems.js';
import { KAMAILIO_LISTS, type KamailioRpcSettings } from './source-settings.js';

const PING_INTERVAL_MS = 30_000;

/** Names of attributes in lower case, because Kamailio ignores their case. */
const attributes: Format<readonly string[]> = (given) =>
  FORMATS.stringList(given).map((name) => {
    if (!/^[^;=,"'\s]{1,128}$/.test(name)) throw new Expected('names of attributes', name);
    return name.toLowerCase();
  });

export const KAMAILIO_RPC = {
  ...HTTP,
  ...{ kamailio: FORMATS.owner, attributes, ping_interval: FORMATS.interval },
  ...{ dispatcher: FORMATS.boolean, keepalive: FORMATS.boolean, uac: FORMATS.boolean },
  ...{ set_state: FORMATS.boolean, allow_empty_set: FORMATS.boolean },
} as const;

/** @param reading its directory is that of relative file names. */
export function readKamailioRpc(
  given: unknown,
  read: Read<typeof KAMAILIO_RPC>,
  path: string,
  reading: { readonly directory: string; readonly report: Report },
): KamailioRpcSettings {
  const http = readHttp(given, read, path, reading);
  const { dispatcher = true, keepalive = false, uac = false } = read;
  if (!(dispatcher || keepalive || uac)) {
    reading.report(path, `expected one of ${KAMAILIO_LISTS.join(', ')} to be true, got none`);
  }
  return {
    http,
    kamailio: read.kamailio ?? hostAndPort(http.url),
    lists: { dispatcher, keepalive, uac },
    attributes: read.attributes ?? [],
    pingIntervalMs: read.ping_interval ?? PING_INTERVAL_MS,
    setState: read.set_state ?? false,
    allowEmptySet: read.allow_empty_set ?? false,
  };
}

/** `192.0.2.5:5060`; with the default port of the scheme if the URL has none. */
function hostAndPort(url: string): string {
  if (url === '') return '';
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
}
