import type { Clock } from '../../shared/clock.js';
import type { ProbeLogLine } from '../../shared/probe-report.js';
import { redacted } from '../sip/redact.js';

/** Limits of a log: lines, bytes per SIP message, bytes of all SIP messages together. */
const MAX_LINES = 100;
const MAX_MESSAGE_BYTES = 8 * 1024;
const MAX_LOGGED_BYTES = 32 * 1024;

/** The log of one probe: its steps, and the SIP messages with secrets masked. */
export class ProbeLog {
  readonly lines: ProbeLogLine[] = [];
  readonly #clock: Clock;
  #loggedBytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Adds a line, unless the log is full. */
  step(what: string): void {
    if (this.lines.length < MAX_LINES) this.#add(what, '');
  }

  /** Adds the last line, even if the log is full. */
  result(what: string): void {
    this.#add(what, '');
  }

  message(direction: 'sent' | 'received', bytes: Uint8Array): void {
    if (this.lines.length >= MAX_LINES) return;
    const maxBytes = Math.min(MAX_MESSAGE_BYTES, MAX_LOGGED_BYTES - this.#loggedBytes);
    const kept = bytes.subarray(0, maxBytes);
    this.#loggedBytes += kept.length;
    this.#add(`${direction} ${bytes.length} bytes`, redacted(kept, kept.length < bytes.length));
  }

  #add(what: string, message: string): void {
    this.lines.push([this.#clock.epoch(), what, message]);
  }
}
