/** A server that speaks Prometheus's `http_sd`. */

import { createHash } from 'node:crypto';
import type { HttpSettings, Requester } from '../shared/sources.js';
import type { Look, Reader } from './reader.js';
import { SourceError } from './source-error.js';
import { readTargetGroups } from './target-groups.js';

export class HttpSd implements Reader {
  readonly #settings: HttpSettings;
  readonly #refreshMs: number;
  readonly #place: string;
  readonly #request: Requester;
  /** The last good answer, and what it came to. */
  #known: { readonly digest: string; readonly look: Look } | undefined;

  /** @param place the server, for people. */
  constructor(settings: HttpSettings, refreshMs: number, place: string, request: Requester) {
    this.#settings = settings;
    this.#refreshMs = refreshMs;
    this.#place = place;
    this.#request = request;
  }

  stamp(): undefined {
    return undefined;
  }

  async read(signal: AbortSignal): Promise<Look> {
    const { status, contentType, body } = await this.#ask(signal);
    if (status !== 200) throw new SourceError(`${this.#place}: expected status 200, got ${status}`);
    if (!/^application\/json\b/i.test(contentType)) {
      const got = JSON.stringify(contentType);
      throw new SourceError(`${this.#place}: expected application/json, got ${got}`);
    }
    const digest = createHash('sha256').update(body).digest('base64');
    if (this.#known?.digest === digest) return this.#known.look;
    const look = { ...readTargetGroups(this.#parse(body), this.#place), troubles: [] };
    this.#known = { digest, look };
    return look;
  }

  async #ask(signal: AbortSignal) {
    try {
      const headers = {
        Accept: 'application/json',
        'X-Prometheus-Refresh-Interval-Seconds': String(this.#refreshMs / 1000),
      };
      return await this.#request(this.#settings, { method: 'GET', headers }, signal);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new SourceError(`${this.#place}: expected an answer, got ${why}`, { cause: error });
    }
  }

  #parse(body: string): unknown {
    try {
      return JSON.parse(body);
    } catch (error) {
      throw new SourceError(`${this.#place}: expected JSON, got what is none`, { cause: error });
    }
  }
}
