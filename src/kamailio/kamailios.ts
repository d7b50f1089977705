/** The running Kamailios that the configuration names. Each works for itself. */

import type { SourceSettings } from '../config/source-settings.js';
import type { Findings } from '../discovery/found.js';
import type { Belief, BeliefSource } from '../status/beliefs.js';
import type { KamailioHealth } from '../status/health.js';
import { Kamailio, type KamailioOptions } from './kamailio.js';

export interface KamailiosOptions extends Omit<KamailioOptions, 'settings' | 'refresh'> {
  /** Reads a source again. Never rejects. */
  readonly refresh: (source: string) => Promise<void>;
}

export class Kamailios implements BeliefSource {
  readonly #options: KamailiosOptions;
  /** By the name of the source. */
  readonly #all = new Map<string, { readonly key: string; readonly kamailio: Kamailio }>();

  constructor(options: KamailiosOptions) {
    this.#options = options;
  }

  /** Replaces the Kamailios. One with other settings begins with its next lists. */
  use(sources: readonly SourceSettings[]): void {
    const keys = new Map(sources.map((settings) => [settings.name, JSON.stringify(settings)]));
    for (const [source, { key, kamailio }] of this.#all) {
      if (keys.get(source) === key) continue;
      kamailio.close();
      this.#all.delete(source);
    }
    for (const settings of sources) {
      if (settings.kind !== 'kamailio_rpc' || this.#all.has(settings.name)) continue;
      const refresh = () => this.#options.refresh(settings.name);
      const kamailio = new Kamailio({ ...this.#options, settings, refresh });
      this.#all.set(settings.name, { key: JSON.stringify(settings), kamailio });
    }
  }

  /** Takes lists that were just read. @param names as for {@link Kamailio.listed}. */
  listed(source: string, findings: Findings, names: readonly (string | undefined)[]): void {
    this.#all.get(source)?.kamailio.listed(findings, names);
  }

  /** Takes note of a new verdict. */
  changed(destination: string): void {
    for (const { kamailio } of this.#all.values()) kamailio.changed(destination);
  }

  of(destination: string): readonly Belief[] {
    return [...this.#all.values()].flatMap(({ kamailio }) => kamailio.of(destination));
  }

  *all(): Generator<Belief, void, undefined> {
    for (const { kamailio } of this.#all.values()) yield* kamailio.all();
  }

  health(): readonly KamailioHealth[] {
    return [...this.#all.values()].map(({ kamailio }) => kamailio.health);
  }

  close(): void {
    for (const { kamailio } of this.#all.values()) kamailio.close();
  }
}
