/**
 * Protects routes that change something or show secrets from pages of other sites in a user's browser. The
 * Host header, which a page cannot set, reveals a page whose own name resolves to this exporter's address
 * (DNS rebinding).
 */

import { isIP } from 'node:net';
import type { Request, RequestHandler, Response } from 'express';

/** Names by which users reach the exporter, in addition to IP addresses and localhost. */
export interface ExporterNames {
  /** An http:// or https:// URL; empty if not set. */
  readonly externalUrl: string;
  /** Names of this machine. */
  readonly hostNames: readonly string[];
}

/** Answers 403 unless the Host header is a name or an address of this exporter. */
export function requireKnownHost(names: () => ExporterNames): RequestHandler {
  return (request, response, next) => {
    const host = hostOf(request);
    if (host === undefined || isKnown(host, names())) return next();
    forbid(
      response,
      `Unknown host name ${JSON.stringify(host)}. Set web.external-url (--web.external-url) to the URL that users open, or use an IP address or localhost.`,
    );
  };
}

/** Like {@link requireKnownHost}, and answers 403 to a request from a page of another site. */
export function requireSameSite(names: () => ExporterNames): RequestHandler {
  const checkHost = requireKnownHost(names);
  return (request, response, next) => {
    if (isCrossOrigin(request, names())) return forbid(response, 'Cross-origin request rejected');
    checkHost(request, response, next);
  };
}

/** Checks the headers Origin (Fetch) and Sec-Fetch-Site (Fetch Metadata), which only browsers send. */
function isCrossOrigin(request: Request, { externalUrl }: ExporterNames): boolean {
  const { origin, host } = request.headers;
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  if (origin === undefined) return false;
  if (!URL.canParse(origin)) return true;
  const hosts = [host?.toLowerCase(), ...(externalUrl === '' ? [] : [new URL(externalUrl).host])];
  return !hosts.includes(new URL(origin).host);
}

/** The requested host without port and brackets, in lower case; undefined for HTTP/1.0 without a Host header. */
function hostOf(request: Request): string | undefined {
  // A target in absolute form overrides the header (RFC 9112 3.2.2).
  const [, authority] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(request.originalUrl) ?? [];
  const text = authority ?? request.headers.host;
  if (text === undefined) return undefined;
  const [, ipv6, name = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(text) ?? [];
  return (ipv6 ?? name).toLowerCase().replace(/\.$/, '');
}

function isKnown(host: string, { externalUrl, hostNames }: ExporterNames): boolean {
  if (isIP(host) !== 0 || host === 'localhost' || host.endsWith('.localhost')) return true;
  if (hostNames.some((name) => name.toLowerCase() === host)) return true;
  return externalUrl !== '' && new URL(externalUrl).hostname.toLowerCase() === host;
}

function forbid(response: Response, reason: string): void {
  response.status(403).type('text/plain').send(`${reason}\n`);
}
