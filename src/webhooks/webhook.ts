/** One webhook: queues its events and delivers them. */

import { createHmac } from 'node:crypto';
import type { EventName, WebhookSettings } from '../config/source-settings.js';
import type { HttpReply, Requester } from '../platform/http.js';
import type { Clock } from '../shared/clock.js';
import type { LogLine } from '../shared/protocol.js';
import { secretIn } from '../shared/secret-file.js';
import type { WebhookHealth } from '../status/health.js';

const MAX_QUEUED = 10_000;
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 60_000;
/** An older event is not delivered any more. Also the maximum pause that a server can request. */
const MAX_AGE_MS = 3_600_000;

/** A change of a destination's state for webhooks. */
export interface WebhookEvent {
  readonly id: string;
  readonly event: EventName;
  /** Wall clock, milliseconds. */
  readonly atMs: number;
  /** JSON. */
  readonly body: string;
}

export interface WebhookOptions {
  readonly request: Requester;
  /** Returns the content of a file that settings name. */
  readonly file: (path: string) => string;
  readonly log: (line: LogLine) => void;
  readonly clock: Clock;
}

export class Webhook {
  readonly #options: WebhookOptions;
  readonly #closed = new AbortController();
  #settings: WebhookSettings;
  readonly #queue: WebhookEvent[] = [];
  #isDelivering = false;
  /** Whether events have been dropped since the queue was last empty. */
  #isOverflowing = false;
  #endPause = () => {};
  #delivered = 0;
  #failures = 0;
  #dropped = 0;

  constructor(settings: WebhookSettings, options: WebhookOptions) {
    this.#settings = settings;
    this.#options = options;
  }

  get health(): WebhookHealth {
    return {
      webhook: this.#settings.name,
      delivered: this.#delivered,
      failures: this.#failures,
      dropped: this.#dropped,
      queued: this.#queue.length,
    };
  }

  /** Applies new settings from the next attempt on, and ends a pause. */
  reconfigure(settings: WebhookSettings): void {
    if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return;
    this.#settings = settings;
    this.#endPause();
  }

  notify(event: WebhookEvent): void {
    if (!this.#settings.events.includes(event.event)) return;
    this.#queue.push(event);
    if (this.#queue.length > MAX_QUEUED) this.#overflow();
    if (!this.#isDelivering) void this.#deliverAll();
  }

  close(): void {
    this.#closed.abort();
    this.#queue.length = 0;
    this.#endPause();
  }

  /** Delivers the queue. Never rejects, because a failed attempt is a value. */
  async #deliverAll(): Promise<void> {
    this.#isDelivering = true;
    let pauseMs = FIRST_PAUSE_MS;
    for (let [event] = this.#queue; event !== undefined; [event] = this.#queue) {
      const failure = await this.#deliver(event);
      if (this.#closed.signal.aborted) break;
      if (failure !== undefined && !failure.isFinal) {
        await this.#pause(Math.max(pauseMs, failure.retryAfterMs ?? 0));
        pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
        continue;
      }
      if (failure !== undefined) this.#drop(failure.text);
      else {
        this.#queue.shift();
        this.#delivered++;
      }
      pauseMs = FIRST_PAUSE_MS;
    }
    this.#isDelivering = false;
    this.#isOverflowing = false;
  }

  /** Tries to deliver an event. Undefined when it was delivered. */
  async #deliver(event: WebhookEvent): Promise<DeliveryFailure | undefined> {
    const { clock } = this.#options;
    const failure = await this.#post(event)
      .then((reply) => deliveryFailure(reply, clock.epoch()))
      .catch((error: unknown) => ({
        isFinal: false,
        text: error instanceof Error ? error.message : String(error),
      }));
    if (failure === undefined || this.#closed.signal.aborted) return failure;
    this.#failures++;
    const isTooOld = clock.epoch() - event.atMs > MAX_AGE_MS;
    return { ...failure, isFinal: failure.isFinal || isTooOld };
  }

  async #post(event: WebhookEvent): Promise<HttpReply> {
    const { http, secretFile } = this.#settings;
    const headers = {
      'Content-Type': 'application/json',
      'X-Sip-Keepalive-Event': event.event,
      'X-Sip-Keepalive-Delivery': event.id,
      ...(secretFile === '' ? {} : { 'X-Sip-Keepalive-Signature-256': this.#signature(event) }),
    };
    const request = { method: 'POST', headers, body: event.body } as const;
    return this.#options.request(http, request, this.#closed.signal);
  }

  /** HMAC-SHA-256 of the body, with the key in `secret_file`. */
  #signature({ body }: WebhookEvent): string {
    const key = secretIn(this.#options.file(this.#settings.secretFile));
    return `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
  }

  /** Drops the oldest event that is not being delivered. Logs only the first drop. */
  #overflow(): void {
    this.#queue.splice(1, 1);
    this.#dropped++;
    if (this.#isOverflowing) return;
    this.#isOverflowing = true;
    this.#options.log({
      level: 'error',
      event: 'webhook_queue_full',
      message: 'webhook queue is full; dropping the oldest events',
      fields: { webhook: this.#settings.name, queued: MAX_QUEUED },
    });
  }

  #drop(error: string): void {
    const event = this.#queue.shift();
    this.#dropped++;
    this.#options.log({
      level: 'error',
      event: 'webhook_delivery_failed',
      message: 'webhook delivery failed; event dropped',
      fields: { webhook: this.#settings.name, webhook_event: event?.event ?? '', error },
    });
  }

  /** Waits; ends early when the webhook is closed or gets new settings. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(Math.min(ms, MAX_AGE_MS), resolve);
      this.#endPause = () => {
        cancel();
        resolve();
      };
    });
  }
}

interface DeliveryFailure {
  /** Whether another attempt would have the same result. */
  readonly isFinal: boolean;
  readonly text: string;
  /** Minimum pause that the server requests. */
  readonly retryAfterMs?: number | undefined;
}

/** The failure that a reply means; undefined for success. Another attempt may succeed after 408, 429 or 5xx. */
function deliveryFailure(reply: HttpReply, epochMs: number): DeliveryFailure | undefined {
  const { status, location, retryAfter = '' } = reply;
  if (status >= 200 && status < 300) return undefined;
  const isFinal = status < 500 && status !== 408 && status !== 429;
  if (location === '') {
    const retryAfterMs = parseRetryAfter(retryAfter, epochMs);
    return { isFinal, text: `status ${status}`, retryAfterMs };
  }
  // Only the host, because the paths of webhooks are usually secrets.
  const host = URL.canParse(location) ? new URL(location).host : 'the same host';
  return { isFinal, text: `status ${status}: redirect to ${host} not followed` };
}

/** Parses Retry-After (RFC 9110 10.2.3), seconds or a date, to milliseconds. Undefined for anything else. */
function parseRetryAfter(text: string, epochMs: number): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : atMs - epochMs;
}
