/** Reads one list of a running Kamailio, and keeps its last valid findings. */

import type { KamailioList } from '../../config/source-settings.js';
import type { HttpSettings, Requester } from '../../platform/http.js';
import { digestOf } from '../digest.js';
import type { Findings, Listing } from '../found.js';
import type { Parser } from '../parsing/parser.js';
import { SourceError } from '../source-error.js';
import { postCall } from './client.js';
import { LISTS } from './lists.js';

export interface ListReaderOptions {
  readonly list: KamailioList;
  readonly http: HttpSettings;
  /** Names of attributes that become labels, in lower case. */
  readonly attributes: readonly string[];
  readonly request: Requester;
  readonly parser: Parser;
}

export interface ListFindings extends Findings {
  readonly listings: readonly Listing[];
}

export class ListReader {
  readonly #options: ListReaderOptions;
  #findings: ListFindings = { found: [], remarks: [], listings: [] };
  /** Digest of the destinations and remarks in the findings. */
  #foundDigest = '';
  /** The last response that was parsed, and its problem if it was invalid. */
  #last: { readonly digest: string; readonly problem: string | undefined } | undefined;

  constructor(options: ListReaderOptions) {
    this.#options = options;
  }

  get list(): KamailioList {
    return this.#options.list;
  }

  /** The last valid findings. `found` and `remarks` are the same objects until they change. */
  get findings(): ListFindings {
    return this.#findings;
  }

  /** Reads the list. Returns the problem; undefined when there is none. */
  async read(signal: AbortSignal): Promise<string | undefined> {
    const { list, http, attributes, request, parser } = this.#options;
    const { method } = LISTS[list];
    const reply = await postCall(request, http, { method }, signal);
    if ('problem' in reply) return reply.problem;
    const { status, contentType, body: bytes } = reply;
    const digest = `${status} ${await digestOf(bytes)}`;
    if (this.#last?.digest === digest) return this.#last.problem;
    const problem = await this.#parse(
      parser.parse(
        {
          ...{ kind: 'kamailio_list', list, attributes, bytes, status, contentType },
          ...{ place: method, knownDigest: this.#foundDigest },
        },
        signal,
      ),
    );
    this.#last = { digest, problem };
    return problem;
  }

  async #parse(parsing: ReturnType<Parser['parse']>): Promise<string | undefined> {
    try {
      const { found, remarks, listings = [], foundDigest = '' } = await parsing;
      const isSame = foundDigest === this.#foundDigest;
      this.#findings = isSame ? { ...this.#findings, listings } : { found, remarks, listings };
      this.#foundDigest = foundDigest;
      return undefined;
    } catch (error) {
      if (error instanceof SourceError) return error.message;
      throw error;
    }
  }
}
