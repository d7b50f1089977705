/** Turns outcomes of pings into records of the ledger and into verdicts. */

import type { PeerDetails, TargetSlot } from '../../shared/destination.js';
import type { CallId } from '../../shared/ledger/exemplar-writer.js';
import type { LedgerWriter } from '../../shared/ledger/writer.js';
import {
  type DownReason,
  detailOf,
  type FailureReason,
  isLocalFailure,
  type Outcome,
} from '../../shared/outcome.js';
import type { ResolutionFailure } from '../../shared/resolution.js';
import {
  combineVotes,
  isUnconfirmed,
  nextVerdict,
  type State,
  type Vote,
} from '../../shared/state.js';
import type { ResponseCodes } from '../../shared/status-codes.js';
import { decode, printable } from '../../shared/text.js';
import type { TlsPeer } from '../../shared/tls-peer.js';
import type { Scan } from '../sip/scanner.js';
import { addressLabel } from '../targets/candidates.js';
import type { Clock } from '../time/clock.js';
import type { Pause } from '../time/scheduler.js';
import type { MonitoredDestination } from './destination.js';
import type { Outbox } from './outbox.js';

/** The Server header of a peer is read again after this time, and cut to this length. */
const SERVER_REFRESH_MS = 60_000;
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
    monitored: MonitoredDestination,
    target: TargetSlot,
    outcome: Outcome,
    retransmissions: number,
    call?: CallId,
  ): void {
    const reason = failureReason(outcome, monitored.codes);
    const before = this.#writer.verdictOf(target);
    const isLocal = isLocalFailure(reason);
    const { rise, fall } = monitored.destination.settings;
    const verdict = isLocal ? before : nextVerdict(before, reason === undefined, rise, fall);
    const answer = outcome.kind === 'answered' ? outcome : undefined;
    this.#writer.recordPing(target, {
      reason,
      code: answer?.code,
      rttMicros: answer?.rttMicros,
      retransmissions,
      call,
      verdict,
      endedAtMs: this.#clock.epoch(),
    });
    if (monitored.isFollowed) this.#report(monitored, target, reason, answer);
    if (reason !== undefined) this.#learnDetail(monitored, target, detailOf(outcome));
    if (isLocal) return;
    const mayChange = this.#writer.stateOf(monitored.slot) !== verdict.state;
    const mayChangeReason = verdict.state === 'down' && reason !== undefined;
    if (mayChange || mayChangeReason) this.#decideDestination(monitored);
  }

  /**
   * The pause before the target's next ping: `retry_interval` while a change is not confirmed,
   * `down_interval` while it is down, `max_backoff` after `delete_counter` failures in a row (where
   * Kamailio's `keepalive` stops pinging), and `ping_interval` otherwise. With `respect_retry_after`, a
   * target that is down is not pinged before it asks for, up to `max_backoff`.
   *
   * @param retryAfterMs how long the last response asks to wait.
   */
  pause(
    { destination: { settings } }: MonitoredDestination,
    target: TargetSlot,
    retryAfterMs?: number,
  ): Pause {
    const { intervalMs, retryIntervalMs, downIntervalMs } = settings;
    const verdict = this.#writer.verdictOf(target);
    if (isUnconfirmed(verdict)) {
      return { ms: retryIntervalMs, isExact: retryIntervalMs < intervalMs };
    }
    if (verdict.state !== 'down') return { ms: intervalMs, isExact: false };
    const { deleteCounter, maxBackoffMs, timeoutMs, respectRetryAfter } = settings;
    const isBackedOff = deleteCounter > 0 && verdict.run <= -deleteCounter;
    const ms = isBackedOff ? Math.max(intervalMs, downIntervalMs, maxBackoffMs) : downIntervalMs;
    if (!respectRetryAfter || retryAfterMs === undefined) return { ms, isExact: false };
    // The pause begins when the ping was due, and the peer's time with its response: up to a timeout later.
    return { ms: Math.max(ms, Math.min(retryAfterMs + timeoutMs, maxBackoffMs)), isExact: true };
  }

  /**
   * The destination's name could not be resolved. The destination is down unless earlier addresses are
   * in use or a local error prevented the lookup.
   */
  unresolved(monitored: MonitoredDestination, reason: ResolutionFailure, detail: string): void {
    const isStale = monitored.targets.length > 0;
    this.#writer.recordResolutionFailure(monitored.slot, reason, isStale, this.#clock.epoch());
    if (!isStale && !isLocalFailure(reason)) {
      this.#record(monitored, 'down', { reason: 'resolution', detail });
    }
  }

  /** The destination's targets changed, so its verdict may change. */
  retargeted(monitored: MonitoredDestination): void {
    // The last verdict is kept until enough of the new targets have been pinged.
    if (
      combineVotes(this.#votes(monitored), monitored.destination.settings.aliveWhen) !== 'unknown'
    ) {
      this.#decideDestination(monitored);
    }
  }

  /** Records the certificate and the parameters of a TLS handshake. */
  learnTls(monitored: MonitoredDestination, target: TargetSlot, tls: TlsPeer): void {
    const known = peerOf(monitored, target);
    if (known.tls !== undefined && isSame(known.tls, tls)) return;
    this.#learn(monitored, target, { ...known, tls });
  }

  #report(
    monitored: MonitoredDestination,
    target: TargetSlot,
    reason: FailureReason | undefined,
    answer: { readonly code: number; readonly rttMicros: number | undefined } | undefined,
  ): void {
    const pinged = monitored.targets.find((p) => p.target.slot.index === target.index);
    if (pinged === undefined) return;
    this.#outbox.ping({
      destination: monitored.slot,
      transport: pinged.location.transport,
      address: addressLabel(pinged.location),
      reason,
      code: answer?.code,
      rttMicros: answer?.rttMicros,
      atMs: this.#clock.epoch(),
    });
  }

  #learnDetail(monitored: MonitoredDestination, target: TargetSlot, detail: string): void {
    const known = peerOf(monitored, target);
    if (known.detail !== detail) this.#learn(monitored, target, { ...known, detail });
  }

  #learn(monitored: MonitoredDestination, target: TargetSlot, peer: PeerDetails): void {
    monitored.peers = new Map(monitored.peers).set(target.index, peer);
    this.#outbox.peer({ destination: monitored.slot, target, peer });
  }

  /** Records the Server or User-Agent header of a response. */
  learnServer(monitored: MonitoredDestination, bytes: Uint8Array, scan: Scan): void {
    const now = this.#clock.now();
    if (now < monitored.serverDueMs) return;
    const { start, end } = scan.server.start >= 0 ? scan.server : scan.userAgent;
    if (start < 0) return;
    monitored.serverDueMs = now + SERVER_REFRESH_MS;
    const server = printable(decode(bytes.subarray(start, end)).trim(), MAX_SERVER_LENGTH);
    if (server === monitored.server) return;
    monitored.server = server;
    this.#outbox.server({ destination: monitored.slot, server });
  }

  #votes(monitored: MonitoredDestination): readonly TargetVote[] {
    return monitored.targets.map(({ target: { slot }, location: { priority = 0 } }) => ({
      slot,
      priority,
      state: this.#writer.verdictOf(slot).state,
    }));
  }

  #decideDestination(monitored: MonitoredDestination): void {
    const votes = this.#votes(monitored);
    const state = combineVotes(votes, monitored.destination.settings.aliveWhen);
    if (state !== 'down') {
      this.#record(monitored, state);
      return;
    }
    const worst = this.#worstOf(votes);
    const reason = worst === undefined ? undefined : this.#writer.peerReasonOf(worst.slot);
    // A target that is still down after a successful ping has no reason; the destination keeps its last.
    if (worst === undefined || reason === undefined) return;
    // The stored detail and code may be those of a later ping, which failed with a local error.
    const isOfPeer = !isLocalFailure(this.#writer.lastReasonOf(worst.slot));
    const detail = isOfPeer ? peerOf(monitored, worst.slot).detail : '';
    const sipCode = isOfPeer ? this.#writer.lastCodeOf(worst.slot) : undefined;
    this.#record(monitored, 'down', { reason, detail, sipCode });
  }

  /** The down target that gives the reason: of the best priority, and draining only if all of those are. */
  #worstOf(votes: readonly TargetVote[]): TargetVote | undefined {
    const down = votes.filter((vote) => vote.state === 'down');
    const best = Math.min(...down.map(({ priority }) => priority));
    const preferred = down.filter(({ priority }) => priority === best);
    const isDraining = ({ slot }: TargetVote) => this.#writer.peerReasonOf(slot) === 'draining';
    return preferred.find((vote) => !isDraining(vote)) ?? preferred[0];
  }

  #record(monitored: MonitoredDestination, to: State, cause?: Cause): void {
    const from = this.#writer.stateOf(monitored.slot);
    const atMs = this.#clock.epoch();
    this.#writer.recordVerdict(monitored.slot, to, cause?.reason, atMs);
    if (from === to) return;
    const { reason, detail = '', sipCode } = cause ?? {};
    this.#outbox.changed({ destination: monitored.slot, from, to, reason, detail, sipCode, atMs });
  }
}

/** Why a destination is down. */
interface Cause {
  readonly reason: DownReason;
  readonly detail: string;
  readonly sipCode?: number | undefined;
}

interface TargetVote extends Vote {
  readonly slot: TargetSlot;
}

const NO_DETAILS: PeerDetails = { detail: '', tls: undefined };

function peerOf(monitored: MonitoredDestination, { index }: TargetSlot): PeerDetails {
  return monitored.peers.get(index) ?? NO_DETAILS;
}

function isSame(a: TlsPeer, b: TlsPeer): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Why the ping failed; undefined when it succeeded. */
export function failureReason(
  outcome: Outcome,
  { alive, draining }: ResponseCodes,
): FailureReason | undefined {
  if (outcome.kind === 'failed') return outcome.reason;
  if (alive.has(outcome.code)) return undefined;
  if (outcome.retryAfterMs !== undefined || draining.has(outcome.code)) return 'draining';
  return outcome.code === 401 || outcome.code === 407 ? 'auth' : 'code';
}
