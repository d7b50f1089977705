/** What to do with a message that arrived: hand it to its target, answer it, or drop and count it. */

import type { Faults } from '../shared/faults.js';
import type { Clock } from './clock.js';
import { slotOfBranch } from './message.js';
import { is, Scan, scan, word } from './scanner.js';
import type { Steps } from './steps.js';
import type { Target } from './target.js';
import type { Source } from './transport/transport.js';
import { answerTo, NOT_ALLOWED, replyToOptions } from './uas.js';
import type { Vigil } from './vigil.js';

const OPTIONS = word('options');
/** RFC 3261 17.1.1.3: an ACK is answered by nobody. */
const ACK = word('ack');
/** Requests that we answer in a second; strangers get no more of our time than this. */
const ANSWERS_PER_SECOND = 100;
/** Larger requests, in bytes, are not answered: an OPTIONS that means well is far smaller. */
const LONGEST_REQUEST = 4096;

export interface ReceiverOptions {
  readonly clock: Clock;
  readonly targetAt: (slot: number) => Target | undefined;
  readonly onUnmatched: () => void;
  readonly newTag: () => string;
  readonly faults: Faults;
  readonly steps: Steps;
  readonly vigil: Vigil;
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
    this.#options.vigil.look(now);
    scan(bytes, this.#scan);
    const isTaken = this.#scan.isResponse
      ? this.#takeResponse(bytes, now)
      : this.#answer(bytes, from);
    if (!isTaken) this.#options.onUnmatched();
    return isTaken;
  }

  #takeResponse(bytes: Uint8Array, atMs: number): boolean {
    const { branch } = this.#scan;
    const slot = slotOfBranch(bytes, branch.start, branch.end);
    const target = slot < 0 ? undefined : this.#options.targetAt(slot);
    if (target === undefined) return false;
    let isTaken = false;
    this.#options.steps.run(target, 'receive', () => {
      isTaken = target.receive(bytes, this.#scan, atMs);
    });
    return isTaken;
  }

  #answer(bytes: Uint8Array, from: Source): boolean {
    const { ok, method } = this.#scan;
    if (!ok || bytes.length > LONGEST_REQUEST) return false;
    const isOptions = is(bytes, method.start, method.end, OPTIONS);
    const isRefused = from.isConnection && !is(bytes, method.start, method.end, ACK);
    if (!(isOptions || isRefused) || !this.#mayAnswer()) return false;
    const { requestUri } = this.#scan;
    const { status, headers } = isOptions ? replyToOptions(bytes, requestUri) : NOT_ALLOWED;
    const answer = answerTo(bytes, from, this.#options.newTag(), status, headers);
    if (answer === undefined) return false;
    from.answer(answer.message, answer.port);
    return true;
  }

  #mayAnswer(): boolean {
    const now = this.#options.clock.now();
    if (now - this.#answersSince >= 1000) {
      this.#answersSince = now;
      this.#answersLeft = ANSWERS_PER_SECOND;
    }
    return this.#answersLeft-- > 0;
  }
}
