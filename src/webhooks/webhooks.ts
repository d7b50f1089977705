/**
 * Reports state changes of destinations to other programs by HTTP POST, like Kamailio's event routes
 * `keepalive:dst-up` and `keepalive:dst-down`.
 *
 * Each webhook gets its events in order, one at a time. A failed delivery is retried with increasing
 * pauses. Later events wait meanwhile, and the oldest event is dropped when the queue is full.
 */

import type { WebhookSettings } from '../config/source-settings.js';
import type { WebhookHealth } from '../status/health.js';
import { Webhook, type WebhookEvent, type WebhookOptions } from './webhook.js';

export class Webhooks {
  readonly #options: WebhookOptions;
  readonly #webhooks = new Map<string, Webhook>();

  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  /** Replaces the settings. A webhook that keeps its name keeps its queue and its counters. */
  configure(all: readonly WebhookSettings[]): void {
    const names = new Set(all.map(({ name }) => name));
    for (const [name, webhook] of this.#webhooks) {
      if (names.has(name)) continue;
      webhook.close();
      this.#webhooks.delete(name);
    }
    for (const settings of all) {
      const { name } = settings;
      const known = this.#webhooks.get(name);
      if (known === undefined) this.#webhooks.set(name, new Webhook(settings, this.#options));
      else known.reconfigure(settings);
    }
  }

  notify(event: WebhookEvent): void {
    for (const webhook of this.#webhooks.values()) webhook.notify(event);
  }

  health(): readonly WebhookHealth[] {
    return [...this.#webhooks.values()].map(({ health }) => health);
  }

  close(): void {
    for (const webhook of this.#webhooks.values()) webhook.close();
    this.#webhooks.clear();
  }
}
