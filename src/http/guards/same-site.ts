/**
 * Lets no page of another site do with us what only our users may. A page that resolves its own name
 * to our address (DNS rebinding) is told by the Host header, which a page cannot choose: what changes
 * things or shows secrets is answered only under names that are ours.
 */

import { isIP } from 'node:net';
import type { Request, RequestHandler, Response } from 'express';

export interface OwnNames {
  /** Where users reach us, an http:// or https:// URL; empty for not set. */
  readonly externalUrl: string;
  /** Of this machine. */
  readonly hostNames: readonly string[];
}

/** Answers 403 unless the request is for a name or an address that is ours. */
export function ownHost(names: () => OwnNames): RequestHandler {
  return (request, response, next) => {
    const host = hostOf(request);
    if (host === undefined || isOurs(host, names())) return next();
    refuse(
      response,
      `Not under the name ${JSON.stringify(host)}: set web.external-url (--web.external-url) to the URL by which users reach this exporter, or use an IP address or localhost`,
    );
  };
}

/** As {@link ownHost}, and 403 to a request that a page of another site has sent. */
export function sameSite(names: () => OwnNames): RequestHandler {
  const checkHost = ownHost(names);
  return (request, response, next) => {
    if (isForeign(request, names())) return refuse(response, 'Not for pages of other sites');
    checkHost(request, response, next);
  };
}

/** The standards Fetch (Origin) and Fetch Metadata (Sec-Fetch-Site); programs send neither. */
function isForeign(request: Request, { externalUrl }: OwnNames): boolean {
  const { origin, host } = request.headers;
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  if (origin === undefined) return false;
  if (!URL.canParse(origin)) return true;
  const hosts = [host?.toLowerCase(), ...(externalUrl === '' ? [] : [new URL(externalUrl).host])];
  return !hosts.includes(new URL(origin).host);
}

/** Without port and brackets, in lower case; undefined where HTTP/1.0 has none. */
function hostOf(request: Request): string | undefined {
  // In absolute form the target goes before the header (RFC 9112 3.2.2).
  const [, authority] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(request.originalUrl) ?? [];
  const given = authority ?? request.headers.host;
  if (given === undefined) return undefined;
  const [, ipv6, name = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(given) ?? [];
  return (ipv6 ?? name).toLowerCase().replace(/\.$/, '');
}

function isOurs(host: string, { externalUrl, hostNames }: OwnNames): boolean {
  if (isIP(host) !== 0 || host === 'localhost' || host.endsWith('.localhost')) return true;
  if (hostNames.some((name) => name.toLowerCase() === host)) return true;
  return externalUrl !== '' && new URL(externalUrl).hostname.toLowerCase() === host;
}

function refuse(response: Response, why: string): void {
  response.status(403).type('text/plain').send(`${why}\n`);
}
