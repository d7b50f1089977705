/** Reads the lists of a running Kamailio over JSON-RPC. */

import type { Requester, SourceSettings } from '../config/source-settings.js';
import type { Parser } from './parsing/parser.js';
import type { Reader, ReadResult } from './reader.js';
import { SourceError } from './source-error.js';

export interface KamailioRpcOptions {
  readonly settings: Extract<SourceSettings, { kind: 'kamailio_rpc' }>;
  readonly request: Requester;
  readonly parser: Parser;
}

export class KamailioRpc implements Reader {
  readonly #options: KamailioRpcOptions;

  constructor(options: KamailioRpcOptions) {
    this.#options = options;
  }

  stamp(): undefined {
    return undefined;
  }

  async read(_signal: AbortSignal): Promise<ReadResult> {
    throw new SourceError(`${this.#options.settings.name}: this kind cannot be read yet`);
  }
}
