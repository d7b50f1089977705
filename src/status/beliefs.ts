/** What running Kamailios believe about destinations, for metrics and the HTTP API. */

import type { DisagreementKind, ListedDestination } from '../shared/kamailio.js';

/** What a Kamailio believes about a destination, as one of its modules lists it. */
export interface Belief extends ListedDestination {
  /** Name of the destination. */
  readonly destination: string;
  /** Name of the Kamailio. */
  readonly kamailio: string;
  /** Only for `uac`: whether the registration is in place. */
  readonly isRegistered: boolean | undefined;
  /** Only for `dispatcher`; undefined while the state agrees with the verdict. */
  readonly disagreement: Disagreement | undefined;
}

export interface Disagreement {
  readonly kind: DisagreementKind;
  /** When it was first seen: wall clock, milliseconds. */
  readonly sinceMs: number;
}

export interface BeliefSource {
  /** Those about one destination. */
  of(destination: string): readonly Belief[];
  all(): Iterable<Belief>;
}
