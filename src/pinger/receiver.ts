/** What to do with a message that arrived: hand it to its target, answer it, or drop and count it. */

import { bracketed } from '../shared/address.js';
import type { Faults } from '../shared/faults.js';
import { isKeepalive, withoutPadding } from './sip/keepalives.js';
import { branchesIn, slotOfBranch } from './sip/request.js';
import { is, Scan, scan, word } from './sip/scanner.js';
import {
  buildResponse,
  LOOP_DETECTED,
  NOT_ALLOWED,
  responseToOptions,
  type UasResponse,
} from './sip/uas.js';

import type { Target } from './targets/target.js';
import type { TargetGuard } from './targets/target-guard.js';
import type { Clock } from './time/clock.js';
import type { StallDetector } from './time/stall-detector.js';
import type { Source } from './transport/transport.js';

const OPTIONS = word('options');
/** RFC 3261 17.1.1.3: an ACK is answered by nobody. */
const ACK = word('ack');
/** Requests that we answer in a second; strangers get no more of our time than this. */
const ANSWERS_PER_SECOND = 100;
/** Larger requests, in bytes, are not answered: an OPTIONS that means well is far smaller. */
const MAX_REQUEST_LENGTH = 4096;

export interface ReceiverOptions {
  readonly clock: Clock;
  readonly targetAt: (slot: number) => Target | undefined;
  readonly onUnmatched: () => void;
  /** What came keeps a NAT binding alive, and is nothing else. */
  readonly onKeepalive: () => void;
  readonly newTag: () => string;
  readonly faults: Faults;
  readonly guard: TargetGuard;
  readonly stallDetector: StallDetector;
}

export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #scan = new Scan();
  #received = 0;
  #answersLeft = ANSWERS_PER_SECOND;
  #answersSince = 0;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  /** How many messages came, of whatever kind. */
  get received(): number {
    return this.#received;
  }

  /** A fault of ours in dealing with a message costs that message alone. */
  readonly take = (bytes: Uint8Array, from: Source): boolean => {
    try {
      return this.#take(bytes, from);
    } catch (error) {
      this.#options.faults.report('message', error);
      return false;
    }
  };

  #take(bytes: Uint8Array, from: Source): boolean {
    this.#received++;
    const now = this.#options.clock.now();
    this.#options.stallDetector.check(now);
    if (isKeepalive(bytes)) {
      this.#options.onKeepalive();
      return true;
    }
    const message = withoutPadding(bytes);
    scan(message, this.#scan);
    const isTaken = this.#scan.isResponse
      ? this.#takeResponse(message, now)
      : this.#takeRequest(message, from);
    if (!isTaken) this.#options.onUnmatched();
    return isTaken;
  }

  #takeResponse(bytes: Uint8Array, atMs: number): boolean {
    const { branch } = this.#scan;
    const slot = slotOfBranch(bytes, branch.start, branch.end);
    if (slot < 0) return this.#takeBroken(bytes);
    return this.#step(slot, (target) => target.receive(bytes, this.#scan, atMs));
  }

  /** A response without a branch of ours in the first Via may have one where it cannot be read. */
  #takeBroken(bytes: Uint8Array): boolean {
    for (const { slot, end } of branchesIn(bytes)) {
      if (this.#step(slot, (target) => target.receiveBroken(bytes, this.#scan, end))) return true;
    }
    return false;
  }

  #takeRequest(bytes: Uint8Array, from: Source): boolean {
    const { requestUri, branch, ok } = this.#scan;
    // What has no request line may be an answer whose status line cannot be read.
    if (requestUri.start < 0) return this.#takeBroken(bytes);
    for (const { slot, end } of branchesIn(bytes)) {
      if (!this.#options.targetAt(slot)?.isOwnBranch(bytes, end)) continue;
      if (end === branch.end) return this.#step(slot, (target) => target.receiveOwn());
      const way = `${bracketed(from.address)}:${from.port}`;
      this.#step(slot, (target) => target.receiveLooped(way));
      // RFC 3261 8.2.2.2: a request that is under way already came by another way.
      return ok && this.#mayAnswer(bytes) && this.#respond(bytes, from, LOOP_DETECTED);
    }
    return this.#answer(bytes, from);
  }

  /** Hands something to the target with this number; false when there is none, or it is not its own. */
  #step(slot: number, take: (target: Target) => boolean): boolean {
    const target = this.#options.targetAt(slot);
    if (target === undefined) return false;
    let isTaken = false;
    this.#options.guard.run(target, 'receive', () => {
      isTaken = take(target);
    });
    return isTaken;
  }

  #answer(bytes: Uint8Array, from: Source): boolean {
    const { ok, method } = this.#scan;
    if (!ok) return false;
    const isOptions = is(bytes, method.start, method.end, OPTIONS);
    const isRefused = from.isConnection && !is(bytes, method.start, method.end, ACK);
    if (!(isOptions || isRefused) || !this.#mayAnswer(bytes)) return false;
    const { requestUri } = this.#scan;
    return this.#respond(
      bytes,
      from,
      isOptions ? responseToOptions(bytes, requestUri) : NOT_ALLOWED,
    );
  }

  #respond(bytes: Uint8Array, from: Source, { status, headers }: UasResponse): boolean {
    const answer = buildResponse(bytes, from, this.#options.newTag(), status, headers);
    if (answer === undefined) return false;
    from.answer(answer.message, answer.port);
    return true;
  }

  #mayAnswer(request: Uint8Array): boolean {
    if (request.length > MAX_REQUEST_LENGTH) return false;
    const now = this.#options.clock.now();
    if (now - this.#answersSince >= 1000) {
      this.#answersSince = now;
      this.#answersLeft = ANSWERS_PER_SECOND;
    }
    return this.#answersLeft-- > 0;
  }
}
