/** Reads a server in the `http_sd` format of Prometheus. */

import type { HttpReply, HttpSettings, Requester } from '../platform/http.js';
import { digestOf } from './digest.js';
import { MAX_BYTES } from './limits.js';
import type { Parser } from './parsing/parser.js';
import type { Reader, ReadResult } from './reader.js';
import { SourceError } from './source-error.js';

export interface HttpSdOptions {
  readonly settings: HttpSettings;
  readonly refreshMs: number;
  /** The name of the source, for errors. */
  readonly place: string;
  readonly request: Requester;
  readonly parser: Parser;
}

export class HttpSd implements Reader {
  readonly #options: HttpSdOptions;
  /** The last valid response. */
  #lastGood: { readonly digest: string; readonly result: ReadResult } | undefined;
  /** The last invalid response and its problem, so that it is not parsed again. */
  #lastBad: { readonly digest: string; readonly reason: string } | undefined;

  constructor(options: HttpSdOptions) {
    this.#options = options;
  }

  stamp(): undefined {
    return undefined;
  }

  async read(signal: AbortSignal): Promise<ReadResult> {
    const { place, parser } = this.#options;
    const { body } = await this.#fetchJson(signal);
    const digest = await digestOf(body);
    if (this.#lastGood?.digest === digest) return this.#lastGood.result;
    if (this.#lastBad?.digest === digest) throw new SourceError(this.#lastBad.reason);
    try {
      const job = { kind: 'target_groups', bytes: body, format: 'JSON', place } as const;
      const { found, remarks } = await parser.parse(job, signal);
      const result = { found, remarks, errors: [] };
      this.#lastGood = { digest, result };
      return result;
    } catch (error) {
      if (error instanceof SourceError) this.#lastBad = { digest, reason: error.message };
      throw error;
    }
  }

  async #fetchJson(signal: AbortSignal): Promise<HttpReply> {
    const { place } = this.#options;
    const reply = await this.#fetch(signal);
    const { status, contentType, location } = reply;
    if (status !== 200) {
      const hint = location === '' ? '' : ', a redirect that is not followed';
      throw new SourceError(`${place}: expected status 200, got ${status}${hint}`);
    }
    if (/^application\/json\b/i.test(contentType)) return reply;
    const got = JSON.stringify(contentType);
    throw new SourceError(`${place}: expected Content-Type application/json, got ${got}`);
  }

  async #fetch(signal: AbortSignal): Promise<HttpReply> {
    const { settings, refreshMs, place, request } = this.#options;
    try {
      const headers = {
        Accept: 'application/json',
        'X-Prometheus-Refresh-Interval-Seconds': String(refreshMs / 1000),
      };
      return await request(settings, { method: 'GET', headers, maxBytes: MAX_BYTES }, signal);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new SourceError(`${place}: expected a response, got ${reason}`, { cause: error });
    }
  }
}
