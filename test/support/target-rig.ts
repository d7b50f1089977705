/** One target over a transport that records its messages, on a fake clock. */

import { Receiver } from '../../src/pinger/receiver.js';
import { RandomHex } from '../../src/pinger/sip/random-hex.js';
import { Target } from '../../src/pinger/targets/target.js';
import { StallDetector } from '../../src/pinger/time/stall-detector.js';
import { TimerWheel } from '../../src/pinger/time/timer-wheel.js';
import type { Flow, FlowListener, Transport } from '../../src/pinger/transport/transport.js';
import { Files } from '../../src/shared/file-contents.js';
import type { Outcome } from '../../src/shared/outcome.js';
import { parseUri } from '../../src/shared/uri.js';
import { FakeClock } from './fake-clock.js';
import { noFaults, noGuard } from './faults.js';
import { settings } from './settings.js';

const SLOT = { index: 3, generation: 1 };
const LOCAL = { address: '192.0.2.99', port: 40_000 };
const PEER = { address: '192.0.2.1', port: 5060 };

export class TargetRig {
  readonly ends: Outcome[] = [];
  /** Status codes of responses, including provisional ones. */
  readonly codes: number[] = [];
  /** The requests that were sent, and the answers to requests of the peer. */
  readonly sent: string[] = [];
  readonly answers: string[] = [];
  unmatched = 0;
  readonly #clock = new FakeClock();
  readonly #timers = new TimerWheel(8);
  readonly #target: Target;
  readonly #receiver: Receiver;

  constructor(transport: 'udp' | 'tcp') {
    const clock = this.#clock;
    const stallDetector = new StallDetector();
    this.#target = new Target({
      slot: SLOT,
      uri: parseUri(PEER.address),
      settings: settings(),
      hops: [
        {
          endpoint: { ...PEER, family: 4, domain: PEER.address },
          transportName: transport,
          transport: this.#transport(transport === 'tcp'),
        },
      ],
      isForOnce: false,
      tools: {
        ...{
          clock,
          timers: this.#timers,
          stallDetector,
          randomHex: new RandomHex(),
          files: new Files(),
        },
        guard: noGuard(),
      },
      listener: {
        ended: (outcome) => this.ends.push(outcome),
        unobserved: () => {},
        faulted: () => {},
        answeredLate: () => {},
        responded: (_bytes, { status }) => this.codes.push(status),
        challenged: () => {},
        failedOver: () => {},
        connected: () => {},
        secured: () => {},
        sent: () => {},
        received: () => {},
      },
    });
    this.#receiver = new Receiver({
      clock,
      targetAt: (slot) => (slot === SLOT.index ? this.#target : undefined),
      onUnmatched: () => this.unmatched++,
      onKeepalive: () => {},
      newTag: () => 'ourtag',
      faults: noFaults(),
      guard: noGuard(),
      stallDetector,
    });
  }

  /** Sends a request, and returns it. */
  ping(): string {
    this.#target.ping();
    return this.sent.at(-1) ?? '';
  }

  /** Lets the timeout of the ping pass. */
  timeOut(): void {
    this.#clock.advance(settings().timeoutMs);
    for (let i = 0; i < 10; i++) {
      this.#timers.advance(this.#clock.now(), 8, () => this.#target.timerFired());
    }
  }

  /** Receives a message. */
  take(message: Uint8Array, isConnection: boolean): void {
    const answer = (bytes: Uint8Array) => this.answers.push(Buffer.from(bytes).toString('latin1'));
    this.#receiver.take(message, { ...PEER, isConnection, answer });
  }

  #transport(isReliable: boolean): Transport {
    return {
      open: (_endpoint, listener: FlowListener): Flow => ({
        isReliable,
        prepare: () => listener.ready(LOCAL),
        send: (message) => this.sent.push(Buffer.from(message).toString('latin1')),
        resend: () => {},
        pingEnded: () => {},
        explain: (outcome) => outcome,
        close: () => {},
      }),
      close: () => {},
    };
  }
}
