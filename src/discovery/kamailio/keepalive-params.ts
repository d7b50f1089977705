/** The parameters of Kamailio's module keepalive. */

import { canonicalUri, pingableUri } from '../../shared/uri.js';
import type { FoundDestination } from '../found.js';
import { nameProblem } from '../names.js';
import { MAX_INTERVAL_SECONDS, type Module, type Param, uriOf, wholeNumberOf } from './param.js';

const MAX_COUNTER = 2 ** 31 - 1;

/** The settings of all destinations: the last value of each. */
interface Settings {
  ping_interval?: number;
  ping_from?: string;
  delete_counter?: number;
}

/**
 * Kamailio adds its destinations after it has read everything, so the last interval, From and counter apply
 * to every destination, wherever they are set.
 */
export class KeepaliveParams implements Module {
  readonly name = 'keepalive';
  readonly isUsed = true;
  /** The places of the destinations, by URI. */
  readonly #places = new Map<string, string>();
  readonly #settings: Settings = {};

  concerns(): boolean {
    return true;
  }

  set(param: Param): void {
    const { name, report } = param;
    switch (name) {
      case 'destination':
        this.#addDestination(param);
        return;
      case 'ping_from': {
        const from = uriOf(param, canonicalUri);
        if (from !== undefined) this.#settings.ping_from = from;
        return;
      }
      case 'ping_interval': {
        const seconds = wholeNumberOf(param, 1, MAX_INTERVAL_SECONDS);
        if (seconds !== undefined) this.#settings.ping_interval = seconds;
        return;
      }
      case 'delete_counter': {
        const failures = wholeNumberOf(param, 0, MAX_COUNTER);
        if (failures !== undefined) this.#settings.delete_counter = failures;
        return;
      }
      default: {
        const known = 'destination, ping_interval, ping_from or delete_counter';
        report('adjusted', `expected ${known}, got ${JSON.stringify(name.slice(0, 120))}`);
      }
    }
  }

  found(): readonly FoundDestination[] {
    return [...this.#places].map(([uri, place]) => ({
      ...{ place, owner: undefined, entry: { uri, ...this.#settings } },
    }));
  }

  #addDestination(param: Param): void {
    const { place, report } = param;
    const uri = uriOf(param, (text) => pingableUri(text, 'auto'), 'skipped');
    if (uri === undefined) return;
    const problem = nameProblem(uri);
    const first = this.#places.get(uri);
    if (problem !== undefined) report('skipped', problem);
    else if (first !== undefined)
      report('duplicate', `duplicate destination ${uri} (also at ${first})`);
    else this.#places.set(uri, place);
  }
}
