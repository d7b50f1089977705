/** The request of a target's pings: built once, then given a new branch and tag for each ping. */

import { isSameAddress, type LocalAddress } from '../../shared/address.js';
import type { PingSettings, TargetSlot } from '../../shared/destination.js';
import type { Files } from '../../shared/file-contents.js';
import type { CallId } from '../../shared/ledger/exemplar-writer.js';
import type { TransportName } from '../../shared/outcome.js';
import type { SipUri } from '../../shared/uri.js';
import { Authenticator } from '../sip/authenticator.js';
import type { ChallengeSource } from '../sip/digest.js';
import { type DiscardedResponse, discardReason } from '../sip/discarded-response.js';
import type { RandomHex } from '../sip/random-hex.js';
import {
  branchOf,
  isBranchOf,
  type PingTemplate,
  pingTemplate,
  requestUri,
  stamp,
  stampAgain,
} from '../sip/request.js';
import type { Scan } from '../sip/scanner.js';

const CNONCE_BYTES = 8;

export interface PingRequestOptions {
  /** The branch carries its index. */
  readonly slot: TargetSlot;
  readonly uri: SipUri;
  readonly settings: PingSettings;
  readonly tools: { readonly randomHex: RandomHex; readonly files: Files };
}

export class PingRequest {
  readonly #options: PingRequestOptions;
  readonly #authenticator: Authenticator | undefined;
  #template: PingTemplate | undefined;
  #local: LocalAddress | undefined;
  /** Whether the template can start a ping: it has no credentials, and CSeq 1. */
  #isPlain = false;
  /** Number of requests since `begin`. */
  #count = 0;

  constructor(options: PingRequestOptions) {
    this.#options = options;
    const {
      settings,
      tools: { randomHex, files },
    } = options;
    if (settings.auth === undefined) return;
    const newCnonce = () => randomHex.hex(CNONCE_BYTES);
    this.#authenticator = new Authenticator(settings.auth, files, newCnonce);
  }

  /** The bytes of the current request, which the next one overwrites; undefined when there is none. */
  get bytes(): Uint8Array | undefined {
    return this.#template?.bytes;
  }

  /** Where its Call-ID is; undefined when this ping has sent none yet. */
  get call(): CallId | undefined {
    return this.#count > 0 ? this.#template : undefined;
  }

  /** A copy of the branch of the current request; undefined when there is none. */
  get branch(): Uint8Array | undefined {
    return this.#template === undefined ? undefined : branchOf(this.#template);
  }

  /** Starts a ping, or continues it over another hop. */
  begin(): void {
    this.#count = 0;
    this.#authenticator?.startPing();
  }

  /** Drops the template: the next request is built from scratch. */
  drop(): void {
    this.#template = undefined;
  }

  /** Builds the next request of the ping. */
  next(local: LocalAddress, transport: TransportName): void {
    const { uri, settings, slot, tools } = this.#options;
    if (!isSameAddress(this.#local, local)) this.#template = undefined;
    this.#local = local;
    const before = this.#template;
    const credentials =
      this.#authenticator?.headers(settings.method, requestUri(uri, settings)) ?? [];
    const isAgain = this.#count++ > 0;
    const isPlain = credentials.length === 0 && !isAgain;
    let template = before;
    if (template === undefined || !isPlain || !this.#isPlain) {
      template = pingTemplate({
        ...{ uri, transport, settings, local, index: slot.index },
        ...{ cseq: this.#count, credentials },
      });
      this.#template = template;
      this.#isPlain = isPlain;
    }
    if (isAgain && before !== undefined) stampAgain(template, before, tools.randomHex);
    else stamp(template, tools.randomHex);
  }

  /** Whether the branch that ends at `branchEnd` is that of the current request. */
  hasBranch(bytes: Uint8Array, branchEnd: number): boolean {
    return this.#template !== undefined && isBranchOf(this.#template, bytes, branchEnd);
  }

  /** Why a response with the branch of one of these requests must be discarded; undefined to accept it. */
  discardOf(
    bytes: Uint8Array,
    scan: Scan,
    transport: TransportName,
  ): DiscardedResponse | undefined {
    if (this.#template === undefined) return undefined;
    return discardReason(bytes, scan, this.#template, transport);
  }

  /** Stores a challenge. Returns why the next request cannot answer it; undefined when it can. */
  takeChallenge(source: ChallengeSource, response: Uint8Array): string | undefined {
    if (this.#authenticator === undefined) return 'no credentials are configured';
    return this.#authenticator.takeChallenge(source, response);
  }
}
