/** Dispatches each message that arrives: passes it to its target, answers it, or counts and drops it. */

import { bracketed } from '../shared/address.js';
import type { Faults } from '../shared/faults.js';
import type { TransportName } from '../shared/outcome.js';
import type { DebugLog } from './debug/debug-log.js';
import { messageLine } from './monitor/message-line.js';
import { isKeepalive, withoutPadding } from './sip/keepalives.js';
import { branchesIn, indexOfBranch } from './sip/request.js';
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
/** RFC 3261 17.1.1.3: an ACK gets no response. */
const ACK = word('ack');
/** Maximum number of requests that are answered per second: a flood must not delay pings. */
const MAX_ANSWERS_PER_SECOND = 100;
/** Requests of more bytes are not answered; a real OPTIONS is far smaller. */
const MAX_REQUEST_LENGTH = 4096;

export interface ReceiverOptions {
  readonly clock: Clock;
  readonly targetAt: (index: number) => Target | undefined;
  readonly onUnmatched: () => void;
  /** A message was only a NAT keep-alive. */
  readonly onKeepalive: () => void;
  readonly newTag: () => string;
  readonly faults: Faults;
  readonly guard: TargetGuard;
  readonly stallDetector: StallDetector;
  readonly debug?: DebugLog;
}

export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #scan = new Scan();
  #received = 0;
  #answersLeft = MAX_ANSWERS_PER_SECOND;
  #secondBeganAt = 0;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  /** Number of messages so far, of any kind. */
  get received(): number {
    return this.#received;
  }

  /** Handles a message; see {@link MessageHandler}. An internal error loses only this message. */
  readonly take = (bytes: Uint8Array, from: Source, transport: TransportName = 'udp'): boolean => {
    try {
      const { debug } = this.#options;
      if (debug?.isForAll !== true) return this.#take(bytes, from);
      return this.#takeLogged(debug, bytes, from, transport);
    } catch (error) {
      this.#options.faults.report('message', error);
      return false;
    }
  };

  /** Logs a message that belongs to no ping, and the response to it. */
  #takeLogged(debug: DebugLog, bytes: Uint8Array, from: Source, transport: TransportName): boolean {
    const context = {
      ...{ destination: undefined, transport },
      peer: `${bracketed(from.address)}:${from.port}`,
    };
    const responses: Uint8Array[] = [];
    const source: Source = {
      address: from.address,
      port: from.port,
      arrivedAtMs: from.arrivedAtMs,
      isConnection: from.isConnection,
      answer: (message, port) => {
        responses.push(message);
        from.answer(message, port);
      },
    };
    const { written } = debug;
    const isTaken = this.#take(bytes, source);
    // A message of a ping has been logged with its destination.
    if (debug.written > written || isKeepalive(bytes)) return isTaken;
    debug.write(messageLine('received', bytes, context, debug.isTrace));
    for (const response of responses) {
      debug.write(messageLine('sent', response, context, debug.isTrace));
    }
    return isTaken;
  }

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
      ? this.#takeResponse(message, from.arrivedAtMs ?? now, from.arrivedAtMs !== undefined)
      : this.#takeRequest(message, from);
    if (!isTaken) this.#options.onUnmatched();
    return isTaken;
  }

  #takeResponse(bytes: Uint8Array, atMs: number, isStamped: boolean): boolean {
    const { branch } = this.#scan;
    const index = indexOfBranch(bytes, branch.start, branch.end);
    if (index < 0) return this.#takeBroken(bytes);
    return this.#deliver(index, (target) => target.receive(bytes, this.#scan, atMs, isStamped));
  }

  /** Searches a whole response for the exporter's branch if its first Via does not have it. */
  #takeBroken(bytes: Uint8Array): boolean {
    for (const { index, end } of branchesIn(bytes)) {
      if (this.#deliver(index, (target) => target.receiveBroken(bytes, this.#scan, end)))
        return true;
    }
    return false;
  }

  #takeRequest(bytes: Uint8Array, from: Source): boolean {
    const { requestUri, branch, ok } = this.#scan;
    // A message without a request line may be a response with a malformed status line.
    if (requestUri.start < 0) return this.#takeBroken(bytes);
    for (const { index, end } of branchesIn(bytes)) {
      if (!this.#options.targetAt(index)?.isOwnBranch(bytes, end)) continue;
      if (end === branch.end) return this.#deliver(index, (target) => target.receiveOwn());
      const sender = `${bracketed(from.address)}:${from.port}`;
      this.#deliver(index, (target) => target.receiveLooped(sender));
      // RFC 3261 8.2.2.2: a pending request arrived again over another path.
      return ok && this.#mayAnswer(bytes) && this.#respond(bytes, from, LOOP_DETECTED);
    }
    return this.#answer(bytes, from);
  }

  /** Passes a message to the target with this index. Returns false when it does not accept the message. */
  #deliver(index: number, take: (target: Target) => boolean): boolean {
    const target = this.#options.targetAt(index);
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
    if (now - this.#secondBeganAt >= 1000) {
      this.#secondBeganAt = now;
      this.#answersLeft = MAX_ANSWERS_PER_SECOND;
    }
    return this.#answersLeft-- > 0;
  }
}
