/** Where an HTTP server sends us on to (RFC 9110 15.4), as Prometheus follows it. */

const MAX_REDIRECTS = 10;
/** Others of 3xx are no redirects, or leave the choice to people. */
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

export interface Hop {
  readonly url: URL;
  /** It is the server of the settings, who may see our credentials. */
  readonly isTrusted: boolean;
  /** How many have led here. */
  readonly redirects: number;
}

/**
 * The next hop of a GET; undefined when the reply is the last one. Credentials go to no other host
 * or port, and not from https to http; once they were left out they stay so.
 *
 * @throws Error when it leads nowhere, to another scheme, or on and on.
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
    throw new Error(`status ${status} to what is no URL`);
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

/** With the port; the ports of the two schemes are one where neither is written out. */
function hostOf({ hostname, port }: URL): string {
  return `${hostname}:${port}`;
}
