/** What pings came to: from outcomes to the ledger and to verdicts. */

import type { AliveCodes } from '../../shared/alive-codes.js';
import type { PeerDetails, TargetSlot } from '../../shared/destination.js';
import type { LedgerWriter } from '../../shared/ledger/writer.js';
import {
  type DownReason,
  detailOf,
  type FailureReason,
  isOwnFault,
  type Outcome,
} from '../../shared/outcome.js';
import type { ResolutionFailure } from '../../shared/resolution.js';
import { combineVotes, nextVerdict, type State, type Vote } from '../../shared/state.js';
import { decode, printable } from '../../shared/text.js';
import type { TlsPeer } from '../../shared/tls-peer.js';
import type { Scan } from '../sip/scanner.js';
import { addressLabel } from '../targets/candidates.js';
import type { Clock } from '../time/clock.js';
import type { MonitoredDestination } from './destination.js';
import type { Outbox } from './outbox.js';

/** What a peer calls itself is told again at most this often, and cut at this length. */
const SERVER_CHANGE_MS = 60_000;
const MAX_SERVER_LENGTH = 128;

export class VerdictTracker {
  readonly #clock: Clock;
  readonly #writer: LedgerWriter;
  readonly #outbox: Outbox;

  constructor(clock: Clock, writer: LedgerWriter, outbox: Outbox) {
    this.#clock = clock;
    this.#writer = writer;
    this.#outbox = outbox;
  }

  /** A ping of one of the destination's targets has ended. */
  ended(
    watch: MonitoredDestination,
    target: TargetSlot,
    outcome: Outcome,
    retransmissions: number,
  ): void {
    const reason = failureOf(outcome, watch.alive);
    const before = this.#writer.verdictOf(target);
    const isOurs = isOwnFault(reason);
    const { rise, fall } = watch.destination.settings;
    const verdict = isOurs ? before : nextVerdict(before, reason === undefined, rise, fall);
    const answer = outcome.kind === 'answered' ? outcome : undefined;
    this.#writer.recordPing(target, {
      reason,
      code: answer?.code,
      rttMicros: answer?.rttMicros,
      retransmissions,
      verdict,
      endedAtMs: this.#clock.epoch(),
    });
    if (watch.isFollowed) this.#tell(watch, target, reason, answer);
    if (reason !== undefined) this.#learnDetail(watch, target, detailOf(outcome));
    if (isOurs) return;
    const isNews = this.#writer.stateOf(watch.slot) !== verdict.state;
    const isReasonNews = verdict.state === 'down' && reason !== undefined;
    if (isNews || isReasonNews) this.#combine(watch);
  }

  /**
   * How long to leave the target alone between pings, if longer than its interval: `max_backoff`
   * after `delete_counter` failures in a row. Kamailio's `keepalive` would not ping it again.
   */
  backoffMs({ destination }: MonitoredDestination, target: TargetSlot): number {
    const { deleteCounter, maxBackoffMs } = destination.settings;
    if (deleteCounter === 0) return 0;
    const { state, run } = this.#writer.verdictOf(target);
    return state === 'down' && run <= -deleteCounter ? maxBackoffMs : 0;
  }

  /**
   * The destination's name has no address. That is no verdict while an earlier one is in use, or when
   * it is by a fault of our own that nothing is known.
   */
  unresolved(watch: MonitoredDestination, reason: ResolutionFailure, why: string): void {
    const isStale = watch.targets.length > 0;
    this.#writer.recordResolutionFailure(watch.slot, reason, isStale, this.#clock.epoch());
    if (!isStale && !isOwnFault(reason)) this.#decide(watch, 'down', 'resolution', why);
  }

  /** The destination has other targets than before: the verdict may be another one. */
  retargeted(watch: MonitoredDestination): void {
    // Until it is known of enough of them, the last verdict stands.
    if (combineVotes(this.#votes(watch), watch.destination.settings.aliveWhen) !== 'unknown') {
      this.#combine(watch);
    }
  }

  /** Takes note of what a handshake has shown. */
  learnTls(watch: MonitoredDestination, target: TargetSlot, tls: TlsPeer): void {
    const known = peerOf(watch, target);
    if (known.tls !== undefined && isSame(known.tls, tls)) return;
    this.#learn(watch, target, { ...known, tls });
  }

  #tell(
    watch: MonitoredDestination,
    target: TargetSlot,
    reason: FailureReason | undefined,
    answer: { readonly code: number; readonly rttMicros: number | undefined } | undefined,
  ): void {
    const pinged = watch.targets.find((p) => p.target.slot.index === target.index);
    if (pinged === undefined) return;
    this.#outbox.ping({
      destination: watch.slot,
      transport: pinged.location.transport,
      address: addressLabel(pinged.location),
      reason,
      code: answer?.code,
      rttMicros: answer?.rttMicros,
      atMs: this.#clock.epoch(),
    });
  }

  #learnDetail(watch: MonitoredDestination, target: TargetSlot, detail: string): void {
    const known = peerOf(watch, target);
    if (known.detail !== detail) this.#learn(watch, target, { ...known, detail });
  }

  #learn(watch: MonitoredDestination, target: TargetSlot, peer: PeerDetails): void {
    watch.peers = new Map(watch.peers).set(target.index, peer);
    this.#outbox.peer({ destination: watch.slot, target, peer });
  }

  /** Takes note of what the peer calls itself in a response. */
  learnServer(watch: MonitoredDestination, bytes: Uint8Array, scan: Scan): void {
    const now = this.#clock.now();
    if (now < watch.serverDueMs) return;
    const { start, end } = scan.server.start >= 0 ? scan.server : scan.userAgent;
    if (start < 0) return;
    watch.serverDueMs = now + SERVER_CHANGE_MS;
    const server = printable(decode(bytes.subarray(start, end)).trim(), MAX_SERVER_LENGTH);
    if (server === watch.server) return;
    watch.server = server;
    this.#outbox.server({ destination: watch.slot, server });
  }

  #votes(watch: MonitoredDestination): readonly Ballot[] {
    return watch.targets.map(({ target: { slot }, location: { priority = 0 } }) => ({
      slot,
      priority,
      state: this.#writer.verdictOf(slot).state,
    }));
  }

  #combine(watch: MonitoredDestination): void {
    const votes = this.#votes(watch);
    const state = combineVotes(votes, watch.destination.settings.aliveWhen);
    if (state !== 'down') {
      this.#decide(watch, state, undefined, '');
      return;
    }
    const down = votes.filter((vote) => vote.state === 'down');
    const [culprit] = down.sort((a, b) => a.priority - b.priority);
    const reason = culprit === undefined ? undefined : this.#writer.peerReasonOf(culprit.slot);
    // A target that is on its way up has no reason any more; what it was down for stands.
    if (culprit === undefined || reason === undefined) return;
    // What is known in words may be of a ping that failed since, by a fault of our own.
    const isPeerError = !isOwnFault(this.#writer.lastReasonOf(culprit.slot));
    const detail = isPeerError ? peerOf(watch, culprit.slot).detail : '';
    this.#decide(watch, 'down', reason, detail);
  }

  #decide(
    watch: MonitoredDestination,
    to: State,
    reason: DownReason | undefined,
    detail: string,
  ): void {
    const from = this.#writer.stateOf(watch.slot);
    const atMs = this.#clock.epoch();
    this.#writer.recordVerdict(watch.slot, to, reason, atMs);
    if (from === to) return;
    this.#outbox.changed({ destination: watch.slot, from, to, reason, detail, atMs });
  }
}

interface Ballot extends Vote {
  readonly slot: TargetSlot;
}

const NOBODY: PeerDetails = { detail: '', tls: undefined };

function peerOf(watch: MonitoredDestination, { index }: TargetSlot): PeerDetails {
  return watch.peers.get(index) ?? NOBODY;
}

function isSame(a: TlsPeer, b: TlsPeer): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Why the ping was not alive; undefined when it was. */
export function failureOf(outcome: Outcome, alive: AliveCodes): FailureReason | undefined {
  if (outcome.kind === 'failed') return outcome.reason;
  if (alive.has(outcome.code)) return undefined;
  return outcome.code === 401 || outcome.code === 407 ? 'auth' : 'code';
}
