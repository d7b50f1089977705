/** A target and its receiver on a scripted transport and a fake clock. */

import assert from 'node:assert/strict';
import { Receiver } from '../../src/pinger/receiver.js';
import { RandomHex } from '../../src/pinger/sip/random-hex.js';
import { Target } from '../../src/pinger/targets/target.js';
import { StallDetector } from '../../src/pinger/time/stall-detector.js';
import { TimerWheel } from '../../src/pinger/time/timer-wheel.js';
import type {
  Endpoint,
  Flow,
  FlowListener,
  Transport,
} from '../../src/pinger/transport/transport.js';
import { Files } from '../../src/shared/file-contents.js';
import type { Outcome } from '../../src/shared/outcome.js';
import { parseUri } from '../../src/shared/uri.js';
import { FakeClock } from './fake-clock.js';
import { noFaults, noGuard } from './faults.js';
import { settings } from './settings.js';

const SETTINGS = settings({ intervalMs: 5000, timeoutMs: 1000 });
const SLOT = { index: 3, generation: 1 };
/** Where messages come from. */
export const SOURCE = {
  address: '192.0.2.1',
  port: 5060,
  isConnection: false,
  answer: (_message: Uint8Array) => {},
};

/** A transport that records what is sent and is controlled by the test. */
class ScriptedTransport implements Transport, Flow {
  readonly isReliable = false;
  readonly sent: string[] = [];
  rests = 0;
  isClosed = false;
  local = { address: '192.0.2.99', port: 40_000 };
  /** Called by `prepare`; undefined to leave the flow unready. */
  onPrepare: ((listener: FlowListener) => void) | undefined = (listener) =>
    listener.ready(this.local);
  listener: FlowListener | undefined;

  open(_endpoint: Endpoint, listener: FlowListener): Flow {
    this.listener = listener;
    return this;
  }
  prepare(): void {
    if (this.listener !== undefined) this.onPrepare?.(this.listener);
  }
  send(message: Uint8Array): void {
    this.sent.push(Buffer.from(message).toString('latin1'));
  }
  resend(message: Uint8Array): void {
    this.send(message);
  }
  explain(outcome: Outcome): Outcome {
    return outcome;
  }
  pingEnded(): void {
    this.rests++;
  }
  close(): void {
    this.isClosed = true;
  }
}

/** A target that is not pinged yet, and what became of the messages that its receiver took. */
export function receiverRig() {
  const clock = new FakeClock();
  const timers = new TimerWheel(8);
  const transport = new ScriptedTransport();
  const stallDetector = new StallDetector();
  const seen = { ends: [] as Outcome[], lates: 0, unmatched: 0, keepalives: 0, responses: 0 };
  const target = new Target({
    slot: SLOT,
    uri: parseUri('192.0.2.1'),
    settings: SETTINGS,
    hops: [
      {
        endpoint: { address: '192.0.2.1', port: 5060, family: 4, domain: '192.0.2.1' },
        transportName: 'udp',
        transport,
      },
    ],
    isForOnce: false,
    tools: {
      ...{ clock, timers, stallDetector, randomHex: new RandomHex(), files: new Files() },
      guard: noGuard(),
    },
    listener: {
      ended: (outcome) => seen.ends.push(outcome),
      unobserved: () => assert.fail('nothing stalled'),
      faulted: () => assert.fail('an internal error'),
      answeredLate: () => seen.lates++,
      responded: () => seen.responses++,
      challenged: () => {},
      failedOver: () => {},
      connected: () => {},
      secured: () => {},
      sent: () => {},
      received: () => {},
    },
  });
  const receiver = new Receiver({
    clock,
    targetAt: (slot) => (slot === SLOT.index ? target : undefined),
    onUnmatched: () => seen.unmatched++,
    onKeepalive: () => seen.keepalives++,
    newTag: () => 'ourtag',
    faults: noFaults(),
    guard: noGuard(),
    stallDetector,
  });
  const advance = (ms: number) => {
    for (let i = 0; i < ms; i++) {
      clock.advance(1);
      timers.advance(clock.now(), 8, () => target.timerFired());
    }
  };
  const take = (text: string, from = SOURCE) => receiver.take(Buffer.from(text, 'latin1'), from);
  return { clock, transport, seen, target, receiver, advance, take };
}

/** The answer that a server makes to a request, with a piece of it changed. */
export function answerTo(
  request: string | undefined,
  status = '200 OK',
  change = (text: string) => text,
) {
  const copied = (request ?? '')
    .split('\r\n')
    .filter((line) => /^(Via|From|To|Call-ID|CSeq):/.test(line));
  return change([`SIP/2.0 ${status}`, ...copied, 'Content-Length: 0', '', ''].join('\r\n'));
}
