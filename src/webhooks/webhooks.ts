/**
 * Tells others, by HTTP, that destinations went up or down: what Kamailio's event routes
 * `keepalive:dst-up` and `keepalive:dst-down` are for.
 *
 * Each webhook gets its events one after the other, in their order. One that cannot be delivered is
 * tried again, with pauses that double; meanwhile others queue up behind it, and the oldest of them
 * is dropped when there are too many.
 */

import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  EventName,
  HttpReply,
  Requester,
  WebhookSettings,
} from '../config/source-settings.js';
import type { LogLine } from '../shared/protocol.js';
import { secretIn } from '../shared/secret-file.js';
import type { WebhookHealth } from '../status/health.js';

const MAX_QUEUED = 10_000;
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 60_000;
/** What could not be delivered for so long is not news any more. */
const GIVE_UP_MS = 3_600_000;

/** Something that happened, and the JSON that tells of it. */
export interface WebhookEvent {
  readonly id: string;
  readonly event: EventName;
  readonly atMs: number;
  readonly body: string;
}

export interface WebhookTools {
  readonly request: Requester;
  /** What is in a file that settings name. */
  readonly file: (path: string) => string;
  readonly log: (line: LogLine) => void;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
}

export class Webhooks {
  readonly #tools: WebhookTools;
  readonly #all = new Map<string, Webhook>();

  constructor(tools: WebhookTools) {
    this.#tools = tools;
  }

  /** Tells these from now on. One that was there before tells the new place what it has queued. */
  set(all: readonly WebhookSettings[]): void {
    const names = new Set(all.map(({ name }) => name));
    for (const [name, webhook] of this.#all) {
      if (names.has(name)) continue;
      webhook.close();
      this.#all.delete(name);
    }
    for (const settings of all) {
      const known = this.#all.get(settings.name);
      if (known === undefined) this.#all.set(settings.name, new Webhook(settings, this.#tools));
      else known.use(settings);
    }
  }

  tell(event: WebhookEvent): void {
    for (const webhook of this.#all.values()) webhook.tell(event);
  }

  health(): readonly WebhookHealth[] {
    return [...this.#all.values()].map(({ health }) => health);
  }

  close(): void {
    for (const webhook of this.#all.values()) webhook.close();
    this.#all.clear();
  }
}

class Webhook {
  readonly #tools: WebhookTools;
  readonly #closed = new AbortController();
  #settings: WebhookSettings;
  #changed = new AbortController();
  readonly #queue: WebhookEvent[] = [];
  #isBusy = false;
  /** Events have been dropped since the queue was last empty. */
  #isOverflowing = false;
  #delivered = 0;
  #failures = 0;
  #dropped = 0;

  constructor(settings: WebhookSettings, tools: WebhookTools) {
    this.#settings = settings;
    this.#tools = tools;
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

  /** From the next try on, which comes at once. */
  use(settings: WebhookSettings): void {
    if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return;
    this.#settings = settings;
    this.#changed.abort();
    this.#changed = new AbortController();
  }

  tell(event: WebhookEvent): void {
    if (!this.#settings.events.includes(event.event)) return;
    this.#queue.push(event);
    if (this.#queue.length > MAX_QUEUED) this.#overflow();
    if (!this.#isBusy) void this.#deliverAll();
  }

  close(): void {
    this.#closed.abort();
    this.#queue.length = 0;
  }

  async #deliverAll(): Promise<void> {
    this.#isBusy = true;
    let pauseMs = FIRST_PAUSE_MS;
    for (let [event] = this.#queue; event !== undefined; [event] = this.#queue) {
      const failure = await this.#deliver(event);
      if (this.#closed.signal.aborted) break;
      if (failure !== undefined && !failure.isFinal) {
        await this.#pause(pauseMs);
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
    this.#isBusy = false;
    this.#isOverflowing = false;
  }

  /** Why it did not go through; undefined when it did. */
  async #deliver(event: WebhookEvent): Promise<Failure | undefined> {
    const failure = await this.#post(event).then(failureOf, (error: unknown) => ({
      isFinal: false,
      text: error instanceof Error ? error.message : String(error),
    }));
    if (failure === undefined || this.#closed.signal.aborted) return failure;
    this.#failures++;
    const isOld = this.#tools.now() - event.atMs > GIVE_UP_MS;
    return { ...failure, isFinal: failure.isFinal || isOld };
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
    return this.#tools.request(http, request, this.#closed.signal);
  }

  /** Of the body, by the key in the file. */
  #signature({ body }: WebhookEvent): string {
    const key = secretIn(this.#tools.file(this.#settings.secretFile));
    return `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
  }

  /** The first of the queue may be under way: the second is the oldest that waits. Told once. */
  #overflow(): void {
    this.#queue.splice(1, 1);
    this.#dropped++;
    if (this.#isOverflowing) return;
    this.#isOverflowing = true;
    const message = 'a webhook is too slow; events are dropped';
    const fields = { webhook: this.#settings.name, queued: MAX_QUEUED };
    this.#tools.log({ level: 'error', message, fields });
  }

  #drop(error: string): void {
    const event = this.#queue.shift();
    this.#dropped++;
    this.#tools.log({
      level: 'error',
      message: 'a webhook could not be told; the event is dropped',
      fields: { webhook: this.#settings.name, event: event?.event ?? '', error },
    });
  }

  /** Ends early when the webhook is closed, or has other settings. */
  async #pause(ms: number): Promise<void> {
    const signal = AbortSignal.any([this.#closed.signal, this.#changed.signal]);
    await sleep(ms, undefined, { signal }).catch(() => {});
  }
}

interface Failure {
  /** To try again would change nothing. */
  readonly isFinal: boolean;
  readonly text: string;
}

/**
 * 408 and 429 ask for another try, as what is wrong with the server does. A redirect is told with its
 * host alone: paths of webhooks are secrets as a rule.
 */
function failureOf({ status, location }: HttpReply): Failure | undefined {
  if (status >= 200 && status < 300) return undefined;
  const isFinal = status < 500 && status !== 408 && status !== 429;
  if (location === '') return { isFinal, text: `status ${status}` };
  const host = URL.canParse(location) ? new URL(location).host : 'the same host';
  return { isFinal, text: `status ${status}, a redirect to ${host}, which is not followed` };
}
