/** Which destinations a caller means, and which of several answers for all of them. */

import type { RegisteredDestination } from '../shared/destination.js';
import { TRANSPORTS } from '../shared/outcome.js';
import { canonicalUri } from '../shared/uri.js';
import type { StatusContext } from './freshness.js';
import type { DestinationView } from './views.js';

/** One that is up, else one that is unknown, else one that is down; undefined of none. */
export function bestOf(views: readonly DestinationView[]): DestinationView | undefined {
  return views.find(({ code }) => code === 1) ?? views.find(({ code }) => code === -1) ?? views[0];
}

/** Looks a destination up by its name, else by its URI in any spelling. @throws UriError when it is neither. */
export function find(
  { registry }: Pick<StatusContext, 'registry'>,
  nameOrUri: string,
): readonly RegisteredDestination[] {
  const named = registry.named(nameOrUri);
  if (named !== undefined) return [named];
  // The canonical form leaves out the default port, which depends on the transport.
  const uris = new Set(TRANSPORTS.map((transport) => canonicalUri(nameOrUri, transport)));
  return [...uris].flatMap((uri) => registry.withUri(uri));
}
