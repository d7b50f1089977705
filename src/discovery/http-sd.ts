/** A server that speaks Prometheus's `http_sd`. */

import { createHash } from 'node:crypto';
import { setImmediate as nextRound } from 'node:timers/promises';
import type { HttpReply, HttpSettings, Requester } from '../config/source-settings.js';
import { MAX_BYTES } from './limits.js';
import type { Parser } from './parsing/parser.js';
import type { Look, Reader } from './reader.js';
import { SourceError } from './source-error.js';

/** Bytes that are hashed at a stretch, in a millisecond or two. */
const HASHED_AT_ONCE = 1 << 20;

export interface HttpSdOptions {
  readonly settings: HttpSettings;
  readonly refreshMs: number;
  /** The server, for people. */
  readonly place: string;
  readonly request: Requester;
  readonly parser: Parser;
}

export class HttpSd implements Reader {
  readonly #options: HttpSdOptions;
  /** The last good answer, and what it came to. */
  #known: { readonly digest: string; readonly look: Look } | undefined;
  /** The last answer that was refused, and why: a long one is not parsed again and again. */
  #refused: { readonly digest: string; readonly why: string } | undefined;

  constructor(options: HttpSdOptions) {
    this.#options = options;
  }

  stamp(): undefined {
    return undefined;
  }

  async read(signal: AbortSignal): Promise<Look> {
    const { place, parser } = this.#options;
    const { body } = await this.#good(signal);
    const digest = await digestOf(body);
    if (this.#known?.digest === digest) return this.#known.look;
    if (this.#refused?.digest === digest) throw new SourceError(this.#refused.why);
    try {
      const job = { kind: 'target_groups', bytes: body, format: 'JSON', place } as const;
      const { found, skipped } = await parser.parse(job, signal);
      const look = { found, skipped, errors: [] };
      this.#known = { digest, look };
      return look;
    } catch (error) {
      if (error instanceof SourceError) this.#refused = { digest, why: error.message };
      throw error;
    }
  }

  async #good(signal: AbortSignal): Promise<HttpReply> {
    const { place } = this.#options;
    const reply = await this.#ask(signal);
    const { status, contentType, location } = reply;
    if (status !== 200) {
      const where = location === '' ? '' : ', a redirect that is not followed';
      throw new SourceError(`${place}: expected status 200, got ${status}${where}`);
    }
    if (/^application\/json\b/i.test(contentType)) return reply;
    const got = JSON.stringify(contentType);
    throw new SourceError(`${place}: expected application/json, got ${got}`);
  }

  async #ask(signal: AbortSignal): Promise<HttpReply> {
    const { settings, refreshMs, place, request } = this.#options;
    try {
      const headers = {
        Accept: 'application/json',
        'X-Prometheus-Refresh-Interval-Seconds': String(refreshMs / 1000),
      };
      return await request(settings, { method: 'GET', headers, maxBytes: MAX_BYTES }, signal);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new SourceError(`${place}: expected an answer, got ${why}`, { cause: error });
    }
  }
}

async function digestOf(bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256');
  for (let from = 0; from < bytes.length; from += HASHED_AT_ONCE) {
    if (from > 0) await nextRound();
    hash.update(bytes.subarray(from, from + HASHED_AT_ONCE));
  }
  return hash.digest('base64');
}
