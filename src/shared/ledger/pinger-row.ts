/** A copy of the pinger's row of the ledger. */

import { type Bounds, Histogram } from './histogram.js';
import { histogramWords } from './histogram-layout.js';
import { PINGER, UDP_IO, type UdpIo, wide } from './layout.js';

export class PingerRow {
  /** Time at which the counters began to count: wall clock, milliseconds. */
  readonly createdMs: number;
  readonly heartbeat: number;
  readonly inFlight: number;
  readonly unmatched: number;
  readonly natKeepalives: number;
  readonly udpRebinds: number;
  /** Undefined before the thread has decided. */
  readonly udpIo: UdpIo | undefined;
  readonly udpDropped: number;
  readonly udpUnstamped: number;
  readonly stalls: number;
  /** Internal errors. */
  readonly faults: number;
  /** Consecutive pings, of any targets, with the reason `local`. */
  readonly localRun: number;
  /** Index of the row that the thread works for; undefined for none. */
  readonly currentTarget: number | undefined;
  readonly currentDestination: number | undefined;
  readonly lateness: Histogram;
  readonly resolutions: Histogram;
  readonly lookupsInFlight: number;
  readonly lookupsWaiting: number;
  readonly lookupsShed: number;
  readonly recordsCut: number;

  /** @param at offset of the row in `cells`. */
  constructor(
    cells: Int32Array,
    at: number,
    bounds: { readonly lateness: Bounds; readonly resolution: Bounds },
  ) {
    const count = (cell: number) => (cells[at + cell] ?? 0) >>> 0;
    this.createdMs = wide(count(PINGER.created), count(PINGER.created + 1));
    this.heartbeat = count(PINGER.heartbeat);
    this.inFlight = count(PINGER.inFlight);
    this.unmatched = count(PINGER.unmatched);
    this.natKeepalives = count(PINGER.natKeepalives);
    this.udpRebinds = count(PINGER.udpRebinds);
    this.udpIo = UDP_IO[count(PINGER.udpIo) - 1];
    this.udpDropped = count(PINGER.udpDropped);
    this.udpUnstamped = count(PINGER.udpUnstamped);
    this.stalls = count(PINGER.stalls);
    this.faults = count(PINGER.faults);
    this.localRun = count(PINGER.localRun);
    const indexIn = (cell: number) => (count(cell) === 0 ? undefined : count(cell) - 1);
    this.currentTarget = indexIn(PINGER.currentTarget);
    this.currentDestination = indexIn(PINGER.currentDestination);
    this.lookupsInFlight = count(PINGER.lookupsInFlight);
    this.lookupsWaiting = count(PINGER.lookupsWaiting);
    this.lookupsShed = count(PINGER.lookupsShed);
    this.recordsCut = count(PINGER.recordsCut);
    this.lateness = new Histogram(cells, at + PINGER.lateness, bounds.lateness);
    const next = PINGER.lateness + histogramWords(this.lateness.nativeBuckets);
    this.resolutions = new Histogram(cells, at + next, bounds.resolution);
  }
}
