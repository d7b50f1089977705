import type { DestinationSlot, TargetSlot } from '../destination.js';
import {
  type DownReason,
  FAILURE_REASONS,
  type FailureReason,
  isLocalFailure,
} from '../outcome.js';
import type { LedgerSettings } from '../protocol.js';
import { RESOLUTION_FAILURES, type ResolutionFailure } from '../resolution.js';
import { STATES, type State, type Verdict } from '../state.js';
import { Cells } from './cells.js';
import { type CallId, ExemplarWriter } from './exemplar-writer.js';
import type { HistogramKind } from './histogram-layout.js';
import { HistogramWriter } from './histogram-writer.js';
import {
  CODES_PER_TARGET,
  CONNECT_PHASES,
  CONNECTION,
  type ConnectPhase,
  connectionAt,
  DESTINATION,
  DESTINATIONS_AT,
  destinationAt,
  exemplarsAt,
  LEDGER_CAPACITY,
  PINGER,
  phaseAt,
  RECENT,
  RECENT_PINGS,
  reasonNumber,
  reasonOf,
  recentAt,
  stateOf,
  TARGET,
  targetAt,
  UDP_IO,
  type UdpIo,
} from './layout.js';
import { resultCell } from './recent-pings.js';
import { nextTroubles, TROUBLED_PINGS } from './troubles.js';

/** The result of one ping. */
export interface PingRecord {
  /** Undefined when the ping was alive. */
  readonly reason: FailureReason | undefined;
  /** Status code of the response; undefined without one. */
  readonly code: number | undefined;
  /** Undefined without a response, or when it is unknown. */
  readonly rttMicros: number | undefined;
  readonly retransmissions: number;
  readonly verdict: Verdict;
  /** Wall clock, milliseconds. */
  readonly endedAtMs: number;
  /** Of its last request; absent when none was sent. */
  readonly call?: CallId | undefined;
}

/** Writes the ledger. There must be only one writer at a time. */
export class LedgerWriter {
  readonly #cells: Cells;
  readonly #epoch: () => number;
  readonly #histograms: HistogramWriter;
  readonly #exemplars: ExemplarWriter;
  #hasExemplars = false;

  /**
   * Continues an existing ledger: unlocks the rows that a crashed writer left half-written.
   *
   * @param epoch wall clock, milliseconds.
   */
  constructor(buffer: SharedArrayBuffer, epoch: () => number) {
    this.#cells = new Cells(buffer);
    this.#epoch = epoch;
    this.#histograms = new HistogramWriter(this.#cells, epoch);
    this.#exemplars = new ExemplarWriter(this.#cells);
    if (this.#cells.getWide(PINGER.created) === 0) this.#openPinger();
    this.#mend(0, PINGER_HISTOGRAMS);
    for (let i = 0; i < LEDGER_CAPACITY; i++) this.#mend(DESTINATIONS_AT + i * DESTINATION.words);
    // One more than in use: the writer may have crashed while it opened a new row.
    const count = Math.min(this.targetsUsed + 1, LEDGER_CAPACITY);
    for (let i = 0; i < count; i++) {
      this.#mend(targetAt(i), TARGET_HISTOGRAMS);
      this.#mend(connectionAt(i), CONNECTION_HISTOGRAMS);
      this.#mend(recentAt(i));
      this.#mend(exemplarsAt(i));
    }
    this.#set(PINGER.inFlight, 0);
    this.#set(PINGER.currentTarget, 0);
    this.#set(PINGER.currentDestination, 0);
    this.setLookups(0, 0);
  }

  /** Sets how to count; histograms with other bounds begin again. */
  configure({ rttBoundsMicros, connectBoundsMicros, hasExemplars }: LedgerSettings): void {
    this.#histograms.setBounds('rtt', rttBoundsMicros);
    this.#histograms.setBounds('connect', connectBoundsMicros);
    this.#hasExemplars = hasExemplars;
  }

  get targetsUsed(): number {
    return this.#get(PINGER.targetsUsed);
  }

  /** Assigns the row `index` to a new target. */
  openTarget(index: number): TargetSlot {
    const row = targetAt(index);
    const generation = this.#get(row + TARGET.generation) + 1;
    this.#cells.lock(row);
    this.#cells.clear(row, TARGET.words, generation);
    this.#cells.setWide(row + TARGET.created, this.#epoch());
    this.#histograms.open('rtt', row + TARGET.rtt);
    this.#cells.unlock(row);
    if (index >= this.targetsUsed) this.#set(PINGER.targetsUsed, index + 1);
    return { index, generation };
  }

  /** Prepares the destination's row; clears it unless its generation is the same. */
  openDestination(slot: DestinationSlot): void {
    const row = destinationAt(slot);
    if (this.#get(row + DESTINATION.generation) === slot.generation) return;
    this.#cells.lock(row);
    this.#cells.clear(row, DESTINATION.words, slot.generation);
    this.#cells.setWide(row + DESTINATION.created, this.#epoch());
    this.#cells.unlock(row);
  }

  verdictOf(slot: TargetSlot): Verdict {
    const row = targetAt(slot.index);
    return { state: stateOf(this.#get(row + TARGET.state)), run: this.#get(row + TARGET.run) };
  }

  /** Why the target's last ping failed; undefined if it did not. */
  lastReasonOf(slot: TargetSlot): DownReason | undefined {
    return reasonOf(this.#get(targetAt(slot.index) + TARGET.lastReason));
  }

  /** Why the last ping without a local failure failed; undefined if it did not. */
  peerReasonOf(slot: TargetSlot): DownReason | undefined {
    return reasonOf(this.#get(targetAt(slot.index) + TARGET.peerReason));
  }

  /** Status code of the response to the target's last ping; undefined without one. */
  lastCodeOf(slot: TargetSlot): number | undefined {
    return this.#get(targetAt(slot.index) + TARGET.lastCode) || undefined;
  }

  stateOf(slot: DestinationSlot): State {
    return stateOf(this.#get(destinationAt(slot) + DESTINATION.state));
  }

  recordPing(slot: TargetSlot, ping: PingRecord): void {
    const row = targetAt(slot.index);
    const isChange = stateOf(this.#get(row + TARGET.state)) !== ping.verdict.state;
    this.#cells.lock(row);
    if (isChange) this.#cells.setWide(row + TARGET.since, ping.endedAtMs);
    this.#set(row + TARGET.state, STATES.indexOf(ping.verdict.state));
    this.#set(row + TARGET.run, ping.verdict.run);
    this.#cells.setWide(row + TARGET.lastPing, ping.endedAtMs);
    if (!isLocalFailure(ping.reason)) this.#recordPeer(row, ping);
    this.#set(row + TARGET.lastReason, reasonNumber(ping.reason));
    this.#set(row + TARGET.lastCode, ping.code ?? 0);
    this.#add(row + TARGET.retransmissions, ping.retransmissions);
    if (ping.reason === undefined) this.#add(row + TARGET.alive, 1);
    else this.#add(row + TARGET.failures + FAILURE_REASONS.indexOf(ping.reason), 1);
    if (ping.rttMicros !== undefined) this.#recordRtt(row, ping.rttMicros);
    if (ping.code !== undefined) this.#add(this.#codeCell(row, ping.code), 1);
    this.#cells.unlock(row);
    this.#recordRecent(slot, ping);
    if (this.#hasExemplars && ping.call !== undefined) this.#recordExemplar(slot, ping, ping.call);
    if (isLocalFailure(ping.reason)) this.#add(PINGER.localRun, 1);
    else this.#set(PINGER.localRun, 0);
  }

  recordLateResponse(slot: TargetSlot): void {
    this.#add(targetAt(slot.index) + TARGET.late, 1);
  }

  recordChallenge(slot: TargetSlot): void {
    this.#add(targetAt(slot.index) + TARGET.challenges, 1);
  }

  recordFailover(slot: TargetSlot): void {
    this.#add(targetAt(slot.index) + TARGET.failovers, 1);
  }

  /** The duration of a phase of setting up a connection. */
  recordConnect(slot: TargetSlot, phase: ConnectPhase, micros: number): void {
    const row = connectionAt(slot.index);
    const isOpen = this.#get(row + CONNECTION.generation) === slot.generation;
    this.#cells.lock(row);
    if (!isOpen) {
      this.#cells.clear(row, CONNECTION.words, slot.generation);
      for (const each of CONNECT_PHASES) this.#histograms.open('connect', row + phaseAt(each));
    }
    this.#histograms.record('connect', row + phaseAt(phase), micros);
    this.#cells.unlock(row);
  }

  /** A destination's verdict; does nothing if neither state nor reason changed. */
  recordVerdict(
    slot: DestinationSlot,
    state: State,
    reason: DownReason | undefined,
    atMs: number,
  ): void {
    const row = destinationAt(slot);
    const before = stateOf(this.#get(row + DESTINATION.state));
    const number = reasonNumber(reason);
    if (before === state && this.#get(row + DESTINATION.lastReason) === number) return;
    this.#cells.lock(row);
    this.#set(row + DESTINATION.lastReason, number);
    if (before !== state) {
      this.#set(row + DESTINATION.state, STATES.indexOf(state));
      this.#cells.setWide(row + DESTINATION.since, atMs);
      if (before !== 'unknown' && state !== 'unknown') this.#add(row + DESTINATION.changes, 1);
    }
    this.#cells.unlock(row);
  }

  /** The destination's name was resolved. @param isChange its targets changed. @param cut addresses that are not pinged. */
  recordResolution(slot: DestinationSlot, atMs: number, isChange: boolean, cut: number): void {
    const row = destinationAt(slot);
    this.#cells.lock(row);
    this.#cells.setWide(row + DESTINATION.lastResolution, atMs);
    this.#cells.setWide(row + DESTINATION.lastLookup, atMs);
    this.#set(row + DESTINATION.isStale, 0);
    this.#set(row + DESTINATION.targetsTruncated, cut);
    if (isChange) this.#add(row + DESTINATION.resolutionChanges, 1);
    this.#cells.unlock(row);
  }

  /**
   * @param isStale an earlier answer stays in use.
   * @param atMs wall clock.
   */
  recordResolutionFailure(
    slot: DestinationSlot,
    reason: ResolutionFailure,
    isStale: boolean,
    atMs: number,
  ): void {
    const row = destinationAt(slot);
    this.#cells.lock(row);
    if (!isLocalFailure(reason)) this.#cells.setWide(row + DESTINATION.lastLookup, atMs);
    this.#add(row + DESTINATION.resolutionFailures + RESOLUTION_FAILURES.indexOf(reason), 1);
    this.#set(row + DESTINATION.isStale, isStale ? 1 : 0);
    this.#cells.unlock(row);
  }

  /** The duration of resolving a name with all its lookups. */
  recordResolutionTime(micros: number): void {
    this.#recordOfPinger('resolution', PINGER.resolutions, micros);
  }

  /** DNS lookups in progress and queued. */
  setLookups(inFlight: number, waiting: number): void {
    this.#set(PINGER.lookupsInFlight, inFlight);
    this.#set(PINGER.lookupsWaiting, waiting);
  }

  recordLookupShed(): void {
    this.#add(PINGER.lookupsShed, 1);
  }

  recordRecordsCut(count: number): void {
    this.#add(PINGER.recordsCut, count);
  }

  recordLateness(micros: number): void {
    this.#recordOfPinger('lateness', PINGER.lateness, micros);
  }

  recordUnmatched(): void {
    this.#add(PINGER.unmatched, 1);
  }

  recordNatKeepalive(): void {
    this.#add(PINGER.natKeepalives, 1);
  }

  /** A target was moved to another local UDP port. */
  recordUdpRebind(): void {
    this.#add(PINGER.udpRebinds, 1);
  }

  recordUdpIo(io: UdpIo): void {
    this.#set(PINGER.udpIo, 1 + UDP_IO.indexOf(io));
  }

  /** The kernel dropped this number of datagrams because a receive buffer was full. */
  recordUdpDropped(count: number): void {
    this.#add(PINGER.udpDropped, count);
  }

  recordUdpUnstamped(): void {
    this.#add(PINGER.udpUnstamped, 1);
  }

  recordStall(): void {
    this.#add(PINGER.stalls, 1);
  }

  recordFault(): void {
    this.#add(PINGER.faults, 1);
  }

  /**
   * Records which target the thread works for; undefined for none. Returns the previous one, which the
   * caller restores afterwards.
   */
  setCurrentTarget(index: number | undefined): number | undefined {
    return this.#setCurrent(PINGER.currentTarget, index);
  }

  /** Like {@link setCurrentTarget}, for a destination. */
  setCurrentDestination(index: number | undefined): number | undefined {
    return this.#setCurrent(PINGER.currentDestination, index);
  }

  addInFlight(change: 1 | -1): void {
    this.#add(PINGER.inFlight, change);
  }

  recordHeartbeat(): void {
    this.#add(PINGER.heartbeat, 1);
  }

  /** Records the result of a ping without a local failure. */
  #recordPeer(row: number, ping: PingRecord): void {
    const { reason, rttMicros = 0, retransmissions, endedAtMs } = ping;
    this.#cells.setWide(row + (reason === undefined ? TARGET.lastUp : TARGET.lastDown), endedAtMs);
    this.#set(row + TARGET.peerReason, reasonNumber(reason));
    const at = row + TARGET.troubles;
    this.#set(at, nextTroubles(this.#get(at), reason, retransmissions > 0, rttMicros));
    this.#set(at + 1, Math.min(this.#get(at + 1) + 1, TROUBLED_PINGS));
  }

  #setCurrent(cell: number, index: number | undefined): number | undefined {
    const before = this.#get(cell);
    this.#set(cell, index === undefined ? 0 : index + 1);
    return before === 0 ? undefined : before - 1;
  }

  #recordRecent({ index, generation }: TargetSlot, ping: PingRecord): void {
    const row = recentAt(index);
    const isOpen = this.#get(row + RECENT.generation) === generation;
    this.#cells.lock(row);
    if (!isOpen) this.#cells.clear(row, RECENT.words, generation);
    const count = this.#get(row + RECENT.count) >>> 0;
    const { reason, code = 0, rttMicros = 0 } = ping;
    const at = row + RECENT.pings + 2 * (count % RECENT_PINGS);
    this.#set(at, Math.floor(ping.endedAtMs / 1000));
    this.#set(at + 1, resultCell(reason, code, rttMicros, ping.retransmissions > 0));
    this.#set(row + RECENT.count, count + 1);
    this.#cells.unlock(row);
  }

  #recordExemplar(slot: TargetSlot, ping: PingRecord, call: CallId): void {
    const { reason, code, rttMicros, endedAtMs } = ping;
    if (rttMicros !== undefined) {
      const bounds = this.#histograms.boundsMicros('rtt');
      this.#exemplars.recordRtt(slot, rttMicros, call, endedAtMs, bounds);
    }
    if (reason !== undefined) {
      this.#exemplars.recordFailure(slot, reason, code, call, endedAtMs);
    }
  }

  #recordRtt(row: number, micros: number): void {
    this.#set(row + TARGET.lastRtt, micros);
    this.#histograms.record('rtt', row + TARGET.rtt, micros);
  }

  #recordOfPinger(kind: HistogramKind, at: number, micros: number): void {
    this.#cells.lock(PINGER.version);
    this.#histograms.record(kind, at, micros);
    this.#cells.unlock(PINGER.version);
  }

  /** Unlocks a row if it is half-written, and repairs its histograms. */
  #mend(row: number, histograms: readonly (readonly [HistogramKind, at: number])[] = []): void {
    if (!this.#cells.isLocked(row)) return;
    for (const [kind, at] of histograms) this.#histograms.repair(kind, row + at);
    this.#cells.unlock(row);
  }

  #openPinger(): void {
    this.#cells.lock(PINGER.version);
    this.#cells.setWide(PINGER.created, this.#epoch());
    for (const [kind, at] of PINGER_HISTOGRAMS) this.#histograms.open(kind, at);
    this.#cells.unlock(PINGER.version);
  }

  #codeCell(row: number, code: number): number {
    const first = row + TARGET.codes;
    for (let cell = first; cell < first + 2 * CODES_PER_TARGET; cell += 2) {
      if (this.#get(cell) === 0) this.#set(cell, code);
      if (this.#get(cell) === code) return cell + 1;
    }
    return row + TARGET.otherCodes;
  }

  #get(cell: number): number {
    return this.#cells.get(cell);
  }

  /** Stores a value if it changed: an atomic store costs as much as ten plain reads, and most cells do not change. */
  #set(cell: number, value: number): void {
    this.#cells.set(cell, value);
  }

  #add(cell: number, value: number): void {
    this.#cells.add(cell, value);
  }
}

/** Offsets of the histograms in rows. */
const PINGER_HISTOGRAMS = [
  ['lateness', PINGER.lateness],
  ['resolution', PINGER.resolutions],
] as const;
const TARGET_HISTOGRAMS = [['rtt', TARGET.rtt]] as const;
const CONNECTION_HISTOGRAMS = CONNECT_PHASES.map((phase) => ['connect', phaseAt(phase)] as const);
