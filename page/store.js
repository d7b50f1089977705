/** What the page knows: the destinations, their last hour, and the state of the exporter. */

import { ApiError, batches, destinationQuery, fetchJson } from './api.js';

/**
 * @typedef {import('../src/status/views.js').ChangeView} Change
 * @typedef {import('../src/status/views.js').DestinationBrief} Row
 * @typedef {import('../src/status/views.js').HistoryView} History
 * @typedef {import('../src/status/page-views.js').SilenceView} Silence
 * @typedef {import('../src/status/page-views.js').StatusView} Status
 */

/** Destinations per request for histories, at most. */
const HISTORY_BATCH = 30;

/** A smaller difference of the clocks is the time of the request, milliseconds. */
const MIN_SKEW_MS = 2_000;

/** @type {History} */
const NO_HISTORY = { rtt: [], failed: [], step: 60, pings: [] };

export class Store {
  /** @type {readonly Row[]} */ rows = [];
  /** Whether the destinations have been fetched once. */
  isLoaded = false;
  /** @type {Status | null} */ status = null;
  /** The exporter's clock minus the browser's, milliseconds. */
  #skewMs = 0;
  /** Null without an Alertmanager. @type {readonly Silence[] | null} */ silences = null;
  /** Why the silences are not known now. */
  silencesError = '';
  /** When they were last known, milliseconds. */
  silencesAtMs = 0;
  /** @type {ReadonlyMap<string, Row>} */ #byName = new Map();
  /** By name. @type {Map<string, History>} */ #histories = new Map();
  /** For each list that is being fetched: the changes since the request. @type {Set<Change[]>} */
  #pending = new Set();

  /** @param {string} name */
  row(name) {
    return this.#byName.get(name);
  }

  /** @param {string} name */
  history(name) {
    return this.#histories.get(name);
  }

  /** Fetches the destinations. Changes that arrive meanwhile are applied to them. */
  async loadRows() {
    /** @type {Change[]} */ const changes = [];
    this.#pending.add(changes);
    try {
      const { destinations } = /** @type {{ destinations: Row[] }} */ (
        await fetchJson('api/v1/destinations?view=brief')
      );
      this.rows = destinations;
      this.isLoaded = true;
      this.#byName = new Map(destinations.map((row) => [row.destination, row]));
      for (const change of changes) this.#apply(change);
    } finally {
      this.#pending.delete(changes);
    }
  }

  async loadStatus() {
    this.status = /** @type {Status} */ (await fetchJson('api/v1/status'));
    const skewMs = Date.parse(this.status.now) - Date.now();
    this.#skewMs = Math.abs(skewMs) < MIN_SKEW_MS ? 0 : skewMs;
    if (this.status.web.alertmanager) await this.loadSilences();
  }

  /** The exporter's time at a time of the browser, milliseconds. @param {number} atMs */
  exporterTime(atMs) {
    return atMs + this.#skewMs;
  }

  /** Without an answer of Alertmanager, the silences that were known last stay until they end. */
  async loadSilences() {
    try {
      const { silences } = /** @type {{ silences: Silence[] }} */ (
        await fetchJson('api/v1/silences')
      );
      this.silences = silences;
      this.silencesError = '';
      this.silencesAtMs = Date.now();
    } catch (error) {
      // Another failure is one of the exporter.
      if (!(error instanceof ApiError)) throw error;
      this.silencesError = error.message;
      const now = this.exporterTime(Date.now());
      this.silences = this.silences?.filter(({ ends_at }) => Date.parse(ends_at) > now) ?? null;
    }
  }

  /**
   * @param {readonly string[]} names
   * @param {() => void} onBatch called after each of the answers
   */
  async loadHistories(names, onBatch) {
    for (const batch of batches(names, HISTORY_BATCH)) {
      const { histories } = /** @type {{ histories: Record<string, History> }} */ (
        await fetchJson(`api/v1/history?${destinationQuery(batch)}`)
      );
      const known = new Map(Object.entries(histories));
      for (const name of batch) this.#histories.set(name, known.get(name) ?? NO_HISTORY);
      onBatch();
    }
  }

  /** Forgets the histories that are not refreshed. @param {ReadonlySet<string>} kept */
  keepHistories(kept) {
    for (const name of this.#histories.keys()) if (!kept.has(name)) this.#histories.delete(name);
  }

  /**
   * Applies a change of state. Returns the row, or undefined for an unknown destination.
   *
   * @param {Change} change
   */
  change(change) {
    for (const changes of this.#pending) changes.push(change);
    return this.#apply(change);
  }

  /** @param {Change} change */
  #apply(change) {
    const row = this.#byName.get(change.destination);
    if (row === undefined) return undefined;
    const { code, state, reason, reason_text, detail, at } = change;
    Object.assign(row, { code, state, reason, reason_text, detail, since: at, sip_code: null });
    // With several targets the event does not say which of them changed.
    if (row.targets_total === 1) Object.assign(row, { targets_up: state === 'up' ? 1 : 0 });
    return row;
  }
}
