/** One running Kamailio: what it believes, and the states that it gets. */

import type { KamailioRpcSettings } from '../config/source-settings.js';
import type { Findings } from '../discovery/found.js';
import type { Requester } from '../platform/http.js';
import type { Clock } from '../shared/clock.js';
import type { Faults } from '../shared/faults.js';
import { isRoutedTo } from '../shared/kamailio.js';
import type { LogLine } from '../shared/protocol.js';
import type { State } from '../shared/state.js';
import type { Belief } from '../status/beliefs.js';
import type { KamailioHealth } from '../status/health.js';
import { type Entry, Listed } from './listed.js';
import { StateSetter } from './state-setter.js';

/** A list is ignored when it could not be read again for this many refreshes. */
const STALE_REFRESHES = 3;

export interface KamailioOptions {
  readonly settings: KamailioRpcSettings & { readonly refreshMs: number };
  /** The verdict about a destination. */
  readonly verdict: (name: string) => State;
  /** The name of the only monitored destination with a URI, as listed; undefined if there is none. */
  readonly nameOf: (uri: string) => string | undefined;
  /** Reads the lists of this Kamailio again. Never rejects. */
  readonly refresh: () => Promise<void>;
  readonly request: Requester;
  readonly log: (line: LogLine) => void;
  readonly clock: Pick<Clock, 'epoch'>;
  /** Contains internal errors. */
  readonly faults: Pick<Faults, 'containAsync'>;
}

type Module = Belief['module'];

export class Kamailio {
  readonly #options: KamailioOptions;
  readonly #setter: StateSetter;
  readonly #listed = new Map<Module, Listed>();
  /** The lists that are being compared. */
  readonly #next = new Map<Module, Listed>();
  #isBusy = false;
  #isRefreshing = false;
  /** Whether the lists have to be read again at the end of what is being done. */
  #isOutdated = false;
  #isClosed = false;

  constructor(options: KamailioOptions) {
    this.#options = options;
    this.#setter = new StateSetter(options);
  }

  get health(): KamailioHealth {
    const { kamailio, pingIntervalMs } = this.#options.settings;
    const { counts, failures } = this.#setter;
    return { kamailio, pingIntervalMs, statesSet: counts, failures };
  }

  /**
   * Takes lists that were just read, and sets states that contradict verdicts. Lists that arrive while
   * states are set may be older than these, so they are read again.
   *
   * @param names those of the monitored destinations, by their indexes in the findings.
   */
  listed(findings: Findings, names: readonly (string | undefined)[]): void {
    if (this.#isBusy) {
      this.#isOutdated = true;
      return;
    }
    this.#isBusy = true;
    void this.#options.faults.containAsync('lists of a Kamailio', async () => {
      try {
        await this.#use(findings, names);
      } finally {
        this.#isBusy = false;
        if (this.#isOutdated) this.#refresh();
      }
    });
  }

  /** Takes note of a new verdict. If Kamailio is to get it, its lists are read first: they may have changed. */
  changed(destination: string): void {
    const lists = [...this.#listed.values(), ...this.#next.values()];
    const disagrees = lists.map((list) => list.compare(destination)).includes(true);
    if (disagrees && this.#options.settings.setState) this.#refresh();
  }

  of(destination: string): readonly Belief[] {
    return this.#current().flatMap((list) => this.#beliefs(list, destination));
  }

  *all(): Generator<Belief, void, undefined> {
    for (const list of this.#current()) {
      for (const name of list.names()) yield* this.#beliefs(list, name);
    }
  }

  /** Changes nothing in Kamailio from now on. */
  close(): void {
    this.#isClosed = true;
    this.#setter.close();
  }

  #refresh(): void {
    this.#isOutdated = this.#isBusy;
    if (this.#isBusy || this.#isRefreshing || this.#isClosed) return;
    this.#isRefreshing = true;
    void this.#options.faults.containAsync('refresh of a Kamailio', async () => {
      await this.#options.refresh();
      this.#isRefreshing = false;
    });
  }

  async #use(findings: Findings, names: readonly (string | undefined)[]): Promise<void> {
    const { listings = [], listedModules = [] } = findings;
    const { verdict, nameOf, clock, settings } = this.#options;
    for (const module of listedModules) {
      const list = new Listed({ verdict, nameOf, now: () => clock.epoch() });
      const ofModule = listings.filter((listing) => listing.module === module);
      this.#next.set(module, list);
      await list.add(ofModule, names, this.#listed.get(module));
      this.#next.delete(module);
      this.#listed.set(module, list);
    }
    const dispatcher = this.#listed.get('dispatcher');
    if (!settings.setState || dispatcher === undefined) return;
    if (listedModules.includes('dispatcher')) await this.#setter.set(dispatcher);
  }

  /** The lists that are not too old. */
  #current(): readonly Listed[] {
    const { settings, clock } = this.#options;
    const maxAgeMs = STALE_REFRESHES * settings.refreshMs + settings.http.timeoutMs;
    const nowMs = clock.epoch();
    return [...this.#listed.values()].filter(({ readAtMs }) => nowMs - readAtMs <= maxAgeMs);
  }

  #beliefs(list: Listed, destination: string): readonly Belief[] {
    const { kamailio } = this.#options.settings;
    return onePerSet(list.named(destination)).map(({ listing, state, disagreement }) => {
      const { module, setid, uri, duid, isProbed, isRegistered } = listing;
      return {
        ...{ destination, kamailio, module, setid, uri, duid },
        ...{ state, isProbed, isRegistered, disagreement },
      };
    });
  }
}

/** A destination may be in a set several times: then it is as the first that is routed to. */
function onePerSet(entries: readonly Entry[]): readonly Entry[] {
  if (entries.length === 1) return entries;
  const ordered = entries.toSorted((a, b) => +isRoutedTo(b.state) - +isRoutedTo(a.state));
  const bySet = new Map<string, Entry>();
  for (const entry of ordered) {
    if (!bySet.has(entry.listing.setid)) bySet.set(entry.listing.setid, entry);
  }
  return [...bySet.values()];
}
