/** Follows HTTP redirects (RFC 9110 15.4) as Prometheus does. */

const MAX_REDIRECTS = 10;
/** Other 3xx codes are not redirects, or need a choice by the user. */
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

export interface Hop {
  readonly url: URL;
  /** Whether the server may receive the credentials. */
  readonly isTrusted: boolean;
  /** Number of redirects that led to this URL. */
  readonly redirects: number;
}

/**
 * The next hop of a GET; undefined when the reply is not a redirect. Credentials are not sent to
 * another host or port, nor from https to http; once omitted, they stay omitted.
 *
 * @throws Error when the location is not an http or https URL, or after too many redirects.
 */
export function nextRequest(
  hop: Hop,
  { status, location }: { readonly status: number; readonly location: string },
): Hop | undefined {
  if (!REDIRECTS.includes(status) || location === '') return undefined;
  if (hop.redirects >= MAX_REDIRECTS) {
    throw new Error(`expected at most ${MAX_REDIRECTS} redirects, got more`);
  }
  if (!URL.canParse(location, hop.url.href)) {
    throw new Error(`status ${status} to an invalid URL`);
  }
  const url = new URL(location, hop.url.href);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new Error(`status ${status} to ${url.protocol}, expected http: or https:`);
  }
  url.username = '';
  url.password = '';
  const isSame = url.protocol === hop.url.protocol || url.protocol === 'https:';
  const isTrusted = hop.isTrusted && isSame && hostOf(url) === hostOf(hop.url);
  return { url, isTrusted, redirects: hop.redirects + 1 };
}

/** Host and port. The default ports of both schemes are the same: empty. */
function hostOf({ hostname, port }: URL): string {
  return `${hostname}:${port}`;
}
