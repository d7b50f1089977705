/** Finds destinations by name or URI, and selects the best of several. */

import type { RegisteredDestination } from '../shared/destination.js';
import { TRANSPORTS } from '../shared/outcome.js';
import { canonicalUri } from '../shared/uri.js';
import type { StatusContext } from './freshness.js';
import type { DestinationView } from './views.js';

/** A destination that is up, otherwise an unknown one, otherwise one that is down; undefined without any. */
export function bestOf(views: readonly DestinationView[]): DestinationView | undefined {
  return views.find(({ code }) => code === 1) ?? views.find(({ code }) => code === -1) ?? views[0];
}

/** Finds destinations by name, or else by URI in any spelling. @throws UriError when the text is neither. */
export function find(
  { registry }: Pick<StatusContext, 'registry'>,
  nameOrUri: string,
): readonly RegisteredDestination[] {
  const named = registry.named(nameOrUri);
  if (named !== undefined) return [named];
  // The canonical form omits the default port, which depends on the transport.
  const uris = new Set(TRANSPORTS.map((transport) => canonicalUri(nameOrUri, transport)));
  return [...uris].flatMap((uri) => registry.withUri(uri));
}
