/** The silences of Alertmanager, by its API v2: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml */

import { setImmediate as nextRound } from 'node:timers/promises';
import { isMapping, kindOf } from '../platform/values.js';
import type { Clock } from '../shared/clock.js';
import type { RegisteredDestination } from '../shared/destination.js';
import type { SilenceView } from '../status/page-views.js';
import { AnswerCache } from './answer-cache.js';
import type { JsonServer } from './json-server.js';
import { alertLabels, type Matcher, mayFit } from './silence-matchers.js';

const ANSWER_MS = 15_000;
/** How far the clock of Alertmanager may be behind. It takes a start in the past as now. */
const CLOCK_DIFFERENCE_MS = 3_600_000;

/** Silences that are read before other work may run. */
const BATCH = 200;

export interface NewSilence {
  readonly matchers: readonly Matcher[];
  readonly durationMs: number;
  readonly comment: string;
  readonly createdBy: string;
}

export interface SilencesOptions {
  readonly server: JsonServer;
  readonly registry: { all(): readonly RegisteredDestination[] };
  readonly clock: Clock;
}

export class Silences {
  readonly #options: SilencesOptions;
  readonly #lists: AnswerCache<readonly SilenceView[]>;
  #settings: unknown;

  constructor(options: SilencesOptions) {
    this.#options = options;
    this.#lists = new AnswerCache(options.clock, ANSWER_MS);
  }

  /** The silences that may fit alerts of the rules; the first to end comes first. @throws UpstreamError */
  async list(): Promise<readonly SilenceView[]> {
    const { settings } = this.#options.server;
    if (settings !== this.#settings) this.#lists.clear();
    this.#settings = settings;
    return this.#lists.getOr('', () => this.#ask());
  }

  /** Resolves with the ID of the new silence, which starts at once. @throws UpstreamError */
  async create({ matchers, durationMs, comment, createdBy }: NewSilence): Promise<string> {
    const { server, clock } = this.#options;
    const nowMs = clock.epoch();
    const silence = {
      matchers: matchers.map(({ name, value, is_regex, is_equal }) => ({
        ...{ name, value, isRegex: is_regex, isEqual: is_equal },
      })),
      startsAt: new Date(nowMs - CLOCK_DIFFERENCE_MS).toISOString(),
      endsAt: new Date(nowMs + durationMs).toISOString(),
      ...{ createdBy, comment },
    };
    const json = await server.ask('/api/v2/silences', {
      method: 'POST',
      headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
      body: JSON.stringify(silence),
    });
    this.#lists.clear();
    const id = isMapping(json) ? json['silenceID'] : undefined;
    if (typeof id === 'string') return id;
    throw server.failure('silenceID in its answer', kindOf(json));
  }

  /** Ends a silence. Resolves with false if there is none with this ID that `list` would have. @throws UpstreamError */
  async end(id: string): Promise<boolean> {
    this.#lists.clear();
    const all = await this.list();
    if (!all.some((silence) => silence.id === id)) return false;
    const request = { method: 'DELETE', headers: {} } as const;
    await this.#options.server.ask(`/api/v2/silence/${encodeURIComponent(id)}`, request);
    this.#lists.clear();
    return true;
  }

  async #ask(): Promise<readonly SilenceView[]> {
    const { server, registry } = this.#options;
    const request = { method: 'GET', headers: { Accept: 'application/json' } } as const;
    const json = await server.ask('/api/v2/silences', request);
    if (!Array.isArray(json)) throw server.failure('a list of silences', kindOf(json));
    const labels = alertLabels(registry.all().map(({ destination }) => destination));
    const views: SilenceView[] = [];
    for (const [index, silence] of json.entries()) {
      if (index % BATCH === BATCH - 1) await nextRound();
      const view = this.#viewOf(silence);
      if (view !== undefined && mayFit(view.matchers, labels)) views.push(view);
    }
    return views.sort((a, b) => (a.ends_at < b.ends_at ? -1 : 1));
  }

  /** Undefined for a silence that has ended. */
  #viewOf(silence: unknown): SilenceView | undefined {
    const { id, status, matchers, startsAt, endsAt, createdBy, comment } = this.#mapping(silence);
    const { state } = this.#mapping(status);
    if (state === 'expired') return undefined;
    const isKnown = state === 'active' || state === 'pending';
    if (!isKnown || !Array.isArray(matchers) || typeof id !== 'string') {
      throw this.#options.server.failure('silences with id, status and matchers', 'others');
    }
    return {
      ...{ id, state, matchers: matchers.map((matcher: unknown) => this.#matcher(matcher)) },
      starts_at: this.#time(startsAt),
      ends_at: this.#time(endsAt),
      created_by: String(createdBy ?? ''),
      comment: String(comment ?? ''),
    };
  }

  #matcher(matcher: unknown): Matcher {
    const { name, value, isRegex, isEqual } = this.#mapping(matcher);
    // Alertmanager before 0.22 has no isEqual.
    return {
      ...{ name: String(name), value: String(value) },
      ...{ is_regex: isRegex === true, is_equal: isEqual !== false },
    };
  }

  #mapping(value: unknown): Readonly<Record<string, unknown>> {
    if (isMapping(value)) return value;
    throw this.#options.server.failure('silences as mappings', kindOf(value));
  }

  #time(value: unknown): string {
    const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
    if (Number.isNaN(ms)) throw this.#options.server.failure('times of silences', kindOf(value));
    return new Date(ms).toISOString();
  }
}
