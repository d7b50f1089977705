/** Destinations as a running Kamailio lists them. */

import type { Listing } from '../../src/discovery/found.js';
import type { Belief, BeliefSource } from '../../src/status/beliefs.js';

/** An active destination of set 1. */
export function listing(change: Partial<Listing> = {}): Listing {
  return {
    ...{ found: 0, module: 'dispatcher', setid: '1', uri: 'sip:192.0.2.1', duid: '' },
    ...{ state: 'active', isProbed: true, ...change },
  };
}

/** A set from states: `A`, `I`, `D` and `T`, each with the URI of its index in `found`. */
export function setOf(setid: string, states: string, from = 0): readonly Listing[] {
  const names = { A: 'active', I: 'inactive', D: 'disabled', T: 'trying' } as const;
  return [...states].map((letter, i) => {
    const state = names[letter as keyof typeof names];
    return listing({ found: from + i, setid, uri: `sip:gw${from + i}`, state });
  });
}

/** Beliefs about the destination `gw`; it is active in set 1 of `proxy-a` unless the change says otherwise. */
export function beliefsOf(changes: readonly Partial<Belief>[]): BeliefSource {
  const all = changes.map(
    (change): Belief => ({
      ...{ destination: 'gw', kamailio: 'proxy-a', module: 'dispatcher', setid: '1' },
      ...{ uri: 'sip:192.0.2.1', duid: '', state: 'active', isProbed: true },
      ...{ isRegistered: undefined, disagreement: undefined, ...change },
    }),
  );
  return { of: (name) => all.filter(({ destination }) => destination === name), all: () => all };
}
