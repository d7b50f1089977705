/** From what is configured and what sources have found to what is watched. */

import type { Destination } from '../shared/destination.js';
import type { Findings, Found, Skipped } from '../shared/found.js';
import { isInShard, type Shard } from '../shared/shard.js';
import type { SourceSettings } from '../shared/sources.js';
import type { Claim } from './claims.js';
import { CONFIGURATION, type Roster } from './roster.js';

/** On whose behalf the configuration's own destinations are watched. */
const OWNER = 'config';

/** The part of the configuration that decides what is watched. */
export interface Wanted {
  readonly destinations: readonly Destination[];
  readonly sources: readonly SourceSettings[];
  readonly shard: Shard;
  /** A destination in the words of the configuration. Throws when they are wrong. */
  readonly readEntry: (entry: Readonly<Record<string, unknown>>) => Destination;
}

/** Told how many destinations of a source are watched, and what of it is not, and why. */
export type OnTaken = (source: string, destinations: number, skipped: readonly Skipped[]) => void;

export class Intake {
  readonly #roster: Roster;
  readonly #onTaken: OnTaken;
  /** By source: what it found last. */
  readonly #findings = new Map<string, Findings>();
  #wanted: Wanted;

  constructor(roster: Roster, wanted: Wanted, onTaken: OnTaken) {
    this.#roster = roster;
    this.#onTaken = onTaken;
    this.#wanted = wanted;
  }

  /**
   * Watches what this says from now on, with what sources that stay have found so far. Those that do
   * not stay are let go of by `forgetOthers`, once what comes in their place has been read.
   */
  use(wanted: Wanted): void {
    this.#wanted = wanted;
    const own = wanted.destinations.filter(({ name }) => isInShard(name, wanted.shard));
    this.#roster.set(
      CONFIGURATION,
      own.map((destination) => ({ owner: OWNER, destination })),
    );
    const kept = new Map(wanted.sources.map((settings) => [settings.name, settings]));
    for (const [name, findings] of this.#findings) {
      const settings = kept.get(name);
      if (settings !== undefined) this.take(settings, findings);
    }
  }

  /** Lets go of what sources have found that are in use no more. */
  forgetOthers(): void {
    const kept = new Set(this.#wanted.sources.map(({ name }) => name));
    for (const name of this.#findings.keys()) {
      if (kept.has(name)) continue;
      this.#findings.delete(name);
      this.#roster.set(name, []);
    }
  }

  /** Watches what a source has found, and no more what it had found before. */
  take(settings: SourceSettings, findings: Findings): void {
    const { name } = settings;
    this.#findings.set(name, findings);
    const skipped = [...findings.skipped];
    const claims: Claim[] = [];
    const placeOf = new Map<string, string>();
    for (const found of findings.found) {
      const claim = this.#read(settings, found, skipped);
      if (claim === undefined || !isInShard(claim.destination.name, this.#wanted.shard)) continue;
      const key = `${claim.owner}\n${claim.destination.name}`;
      const earlier = placeOf.get(key);
      if (earlier !== undefined) {
        const reason = `${claim.destination.name} stands at ${earlier} already`;
        skipped.push({ place: found.place, reason });
        continue;
      }
      placeOf.set(key, found.place);
      claims.push(claim);
    }
    const refused = this.#roster.set(name, claims);
    for (const { claim, why } of refused) {
      const key = `${claim.owner}\n${claim.destination.name}`;
      skipped.push({
        place: placeOf.get(key) ?? name,
        reason: `${claim.destination.name}: ${why}`,
      });
    }
    this.#onTaken(name, claims.length - refused.length, skipped);
  }

  #read(
    { owner, module, labels }: SourceSettings,
    { place, entry, owner: own = owner }: Found,
    skipped: Skipped[],
  ): Claim | undefined {
    const { labels: found = {}, ...rest } = entry;
    const laidOver = {
      ...(module === '' ? {} : { module }),
      ...rest,
      labels: { ...labels, ...(typeof found === 'object' ? found : {}) },
    };
    try {
      return { owner: own, destination: this.#wanted.readEntry(laidOver) };
    } catch (error) {
      const reason = error instanceof Error ? error.message.replaceAll('\n', '; ') : String(error);
      skipped.push({ place, reason });
      return undefined;
    }
  }
}
