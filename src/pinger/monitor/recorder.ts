/** Passes the results of one target's pings to the verdicts, the ledger and the scheduler. */

import type { TargetSlot } from '../../shared/destination.js';
import type { CallId } from '../../shared/ledger/exemplar-writer.js';
import type { ConnectPhase } from '../../shared/ledger/layout.js';
import type { LedgerWriter } from '../../shared/ledger/writer.js';
import type { Outcome } from '../../shared/outcome.js';
import type { Exchange } from '../../shared/resolution.js';
import type { TlsPeer } from '../../shared/tls-peer.js';
import type { DebugLog } from '../debug/debug-log.js';
import { redacted } from '../sip/redact.js';
import type { Scan } from '../sip/scanner.js';
import type { CurrentHop } from '../targets/attempt.js';
import type { TargetListener } from '../targets/target.js';
import type { Clock } from '../time/clock.js';
import type { Pause } from '../time/scheduler.js';
import type { MonitoredDestination } from './destination.js';
import { ladderOf } from './ladder.js';
import { logMessage } from './message-line.js';
import type { PingSteps } from './ping-steps.js';
import type { VerdictTracker } from './verdicts.js';

export interface RecorderTools {
  readonly verdicts: VerdictTracker;
  readonly writer: LedgerWriter;
  readonly debug: DebugLog;
  /** Of all targets. */
  readonly steps: PingSteps;
  /** The target may be pinged again, after this pause. */
  readonly done: (slot: TargetSlot, pause: Pause) => void;
}

/** Number of targets whose last messages are kept; more would take too much memory. */
const MAX_TARGETS = 1 << 14;
/** Number of bytes kept of a received message. */
const MAX_BYTES = 1024;
/** Buffer sizes are multiples of this, so that a slightly longer message fits too. */
const STEP_BYTES = 64;

/** After this many pings in a row that internal errors ended, the target is pinged every `max_backoff`. */
const MAX_FAULTS = 3;

export class TargetRecorder implements TargetListener {
  /** The last request, in the buffer that all requests of the target use, and the last response. */
  #sent: Uint8Array | undefined;
  #received: Uint8Array | undefined;
  /** Full length of the last response; 0 while there is none. */
  #receivedBytes = 0;
  /** Whether the last response is one to the last ping. */
  #isReceivedOfPing = false;
  /** Pings in a row that internal errors ended. */
  #faults = 0;
  readonly #monitored: MonitoredDestination;
  readonly #slot: TargetSlot;
  readonly #tools: RecorderTools;

  constructor(monitored: MonitoredDestination, slot: TargetSlot, tools: RecorderTools) {
    this.#monitored = monitored;
    this.#slot = slot;
    this.#tools = tools;
    tools.steps.clear(slot.index);
  }

  /** The last ping and the last messages. */
  exchange(clock: Clock): Exchange {
    const { sent, received } = this.#messages();
    const last = this.#tools.steps.of(this.#slot.index);
    if (last === undefined) return { sent, received, ladder: undefined };
    const startedAtMs = clock.epoch() - (clock.now() - last.startedAtMs);
    const { method } = this.#monitored.destination.settings;
    const ofPing = this.#isReceivedOfPing ? received : '';
    const ladder = ladderOf(startedAtMs, last.steps, { method, sent, received: ofPing });
    return { sent, received, ladder };
  }

  /** The last messages sent and received, as text; empty where there is none. */
  #messages(): { readonly sent: string; readonly received: string } {
    const sent = this.#sent === undefined ? '' : redacted(this.#sent);
    const received = this.#received?.subarray(0, Math.min(this.#receivedBytes, MAX_BYTES));
    if (received === undefined) return { sent, received: '' };
    const isCut = this.#receivedBytes > MAX_BYTES;
    const cut = isCut ? `\n[of ${this.#receivedBytes} bytes]` : '';
    return { sent, received: `${redacted(received, isCut)}${cut}` };
  }

  sent(bytes: Uint8Array, hop: CurrentHop, atMs: number, isFirst: boolean): void {
    const { debug, steps } = this.#tools;
    if (debug.isOn) logMessage(debug, this.#monitored.destination, 'sent', bytes, hop);
    if (this.#slot.index >= MAX_TARGETS) return;
    this.#sent = bytes;
    this.#receivedBytes = 0;
    steps.sent(this.#slot.index, atMs, isFirst);
  }

  received(bytes: Uint8Array, hop: CurrentHop, atMs: number, status: number): void {
    const { debug, steps } = this.#tools;
    if (debug.isOn) logMessage(debug, this.#monitored.destination, 'received', bytes, hop);
    if (this.#slot.index >= MAX_TARGETS) return;
    this.#keep(bytes);
    this.#isReceivedOfPing = !Number.isNaN(atMs);
    if (this.#isReceivedOfPing) steps.received(this.#slot.index, atMs, status);
  }

  ended(outcome: Outcome, retransmissions: number, call: CallId | undefined): void {
    this.#faults = 0;
    this.#endSteps(outcome.kind === 'answered' ? outcome.rttMicros : undefined);
    this.#tools.verdicts.ended(this.#monitored, this.#slot, outcome, retransmissions, call);
    this.#done(outcome.kind === 'answered' ? outcome.retryAfterMs : undefined);
  }

  unobserved(): void {
    this.#endSteps();
    this.#done();
  }

  /** The next ping may succeed, but after several internal errors in a row the target is pinged less often. */
  faulted(): void {
    this.#endSteps();
    if (++this.#faults < MAX_FAULTS) {
      this.#done();
      return;
    }
    const { intervalMs, maxBackoffMs } = this.#monitored.destination.settings;
    this.#tools.done(this.#slot, { ms: Math.max(intervalMs, maxBackoffMs), isExact: false });
  }

  answeredLate(): void {
    this.#tools.writer.recordLateResponse(this.#slot);
  }

  responded(bytes: Uint8Array, scan: Scan): void {
    this.#tools.verdicts.learnServer(this.#monitored, bytes, scan);
  }

  challenged(): void {
    this.#tools.writer.recordChallenge(this.#slot);
  }

  failedOver(): void {
    this.#tools.writer.recordFailover(this.#slot);
  }

  connected(phase: ConnectPhase, micros: number): void {
    if (Number.isNaN(micros)) return;
    this.#tools.writer.recordConnect(this.#slot, phase, Math.round(micros));
  }

  secured(peer: TlsPeer): void {
    this.#tools.verdicts.learnTls(this.#monitored, this.#slot, peer);
  }

  /** Copies into a reused buffer: keeping thousands of messages a second alive would cost GC time. */
  #keep(bytes: Uint8Array): void {
    const length = Math.min(bytes.length, MAX_BYTES);
    if (this.#received === undefined || this.#received.length < length) {
      this.#received = Buffer.allocUnsafe(STEP_BYTES * Math.ceil(length / STEP_BYTES));
    }
    this.#receivedBytes = bytes.length;
    this.#received.set(length === bytes.length ? bytes : bytes.subarray(0, length));
  }

  #endSteps(rttMicros?: number): void {
    if (this.#slot.index < MAX_TARGETS) this.#tools.steps.ended(this.#slot.index, rttMicros);
  }

  #done(retryAfterMs?: number): void {
    const { verdicts, done } = this.#tools;
    done(this.#slot, verdicts.pause(this.#monitored, this.#slot, retryAfterMs));
  }
}
