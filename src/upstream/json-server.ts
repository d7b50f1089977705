/** Asks a server for JSON: a few requests at a time, with limits of time and size. */

import type { HttpReply, HttpRequest, HttpSettings, Requester } from '../platform/http.js';
import { isMapping, show } from '../platform/values.js';
import type { Clock } from '../shared/clock.js';
import { UpstreamError } from './upstream-error.js';

/** Requests to a server at a time. */
const MAX_ACTIVE = 4;
/** Requests that wait for these. */
const MAX_WAITING = 64;
/** Parsing this much takes the main thread up to 20 ms. Most answers are far shorter. */
const MAX_BYTES = 2 << 20;

export interface JsonServerOptions {
  /** As errors call it: Prometheus. */
  readonly name: string;
  /** The setting that has its URL. */
  readonly setting: string;
  /** The current settings, which a reload replaces; undefined if the setting is not set. */
  readonly settings: () => HttpSettings | undefined;
  readonly request: Requester;
  readonly clock: Clock;
}

export class JsonServer {
  readonly #options: JsonServerOptions;
  #active = 0;
  /** Each function starts one waiting request. */
  readonly #waiting = new Set<() => void>();

  constructor(options: JsonServerOptions) {
    this.#options = options;
  }

  /** @throws UpstreamError if the server is not configured. */
  get settings(): HttpSettings {
    const { name, setting, settings } = this.#options;
    const current = settings();
    if (current !== undefined) return current;
    throw new UpstreamError(501, `set ${setting} (--${setting}=URL) to ask ${name}`);
  }

  /**
   * Resolves with the JSON of a response with status 200; undefined if it is empty.
   *
   * @param path below the configured URL: `/api/v1/query`.
   * @throws UpstreamError when there is none in time.
   */
  async ask(path: string, request: HttpRequest): Promise<unknown> {
    const { settings } = this;
    const url = `${settings.url.replace(/\/+$/, '')}${path}`;
    const { clock } = this.#options;
    // The time of a request includes that of waiting for others.
    const deadline = new AbortController();
    const cancel = clock.after(settings.timeoutMs, () => deadline.abort());
    try {
      await this.#start(deadline.signal);
      try {
        const bounded = { maxBytes: MAX_BYTES, ...request };
        const reply = await this.#options.request({ ...settings, url }, bounded, deadline.signal);
        return this.#jsonOf(reply);
      } finally {
        this.#end();
      }
    } catch (error) {
      if (error instanceof UpstreamError) throw error;
      const isLate = deadline.signal.aborted;
      const got = isLate ? `none within ${settings.timeoutMs / 1000} s` : messageOf(error);
      throw this.failure('a response', got, error);
    } finally {
      cancel();
    }
  }

  /** The error for an answer that cannot be used. */
  failure(expected: string, got: string, cause?: unknown): UpstreamError {
    const { name, settings } = this.#options;
    const url = settings()?.url ?? '';
    return new UpstreamError(502, `${name} at ${url}: expected ${expected}, got ${got}`, cause);
  }

  /** Resolves when the request may be sent. Rejects when too many wait, or when `signal` aborts. */
  async #start(signal: AbortSignal): Promise<void> {
    if (this.#active >= MAX_ACTIVE) return this.#wait(signal);
    this.#active++;
  }

  #wait(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= MAX_WAITING) {
      throw this.failure(`at most ${MAX_WAITING} waiting requests`, 'more: it answers too slowly');
    }
    return new Promise((resolve, reject) => {
      this.#waiting.add(resolve);
      signal.addEventListener('abort', () => {
        this.#waiting.delete(resolve);
        reject(new Error('it waited for others'));
      });
    });
  }

  /** Gives the place of a request to the next one. */
  #end(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#active--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }

  #jsonOf({ status, contentType, location, body }: HttpReply): unknown {
    let json: unknown;
    try {
      json = body.length === 0 ? undefined : JSON.parse(body.toString('utf8'));
    } catch (error) {
      if (status === 200) {
        const got = `a text that is not JSON (Content-Type ${show(contentType)})`;
        throw this.failure('JSON', got, error);
      }
    }
    if (status === 200) return json;
    const { setting } = this.#options;
    const redirect = location === '' ? '' : ', a redirect that is not followed';
    const login = status === 401 || status === 403 ? ` (see the credentials in ${setting})` : '';
    throw this.failure('status 200', `${status}${redirect}${login}${errorIn(json)}`);
  }
}

/** Node.js has an error for each address of a host name, and no message of its own. */
function messageOf(error: unknown): string {
  const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
  return errors.map((one) => (one instanceof Error ? one.message : String(one))).join(', ');
}

/** The error that the API of Prometheus or of Alertmanager reports; empty for other JSON. */
function errorIn(json: unknown): string {
  const text = isMapping(json) ? (json['error'] ?? json['message']) : json;
  return typeof text === 'string' ? `: ${show(text)}` : '';
}
