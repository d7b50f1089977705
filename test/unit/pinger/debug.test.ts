import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DebugLog } from '../../../src/pinger/debug/debug-log.js';
import { Receiver } from '../../../src/pinger/receiver.js';
import { StallDetector } from '../../../src/pinger/time/stall-detector.js';
import { debugSettings } from '../../../src/shared/debug-settings.js';
import type { LogLine } from '../../../src/shared/protocol.js';
import { FakeClock } from '../../support/fake-clock.js';
import { noFaults, noGuard } from '../../support/faults.js';
import { PingerRig } from '../../support/pinger-rig.js';

const linesOf = (rig: PingerRig) => rig.messages('debug_lines').flatMap(({ lines }) => lines);
const eventsOf = (rig: PingerRig) =>
  linesOf(rig).map(({ event, fields }) => [event, fields['destination'], fields['peer']]);

test('a message is logged only for the chosen destination, until the settings change', async () => {
  const rig = new PingerRig();
  rig.monitor();
  rig.monitor({}, { uri: 'sip:192.0.2.7', name: 'e', slot: { index: 1, generation: 1 } });
  await rig.pass(1_000);
  assert.deepEqual(linesOf(rig), []);
  rig.pinger.handle({ type: 'debug', ...debugSettings('info', ['e']) });
  await rig.pass(1_000);
  assert.deepEqual(eventsOf(rig), [
    ['sip_sent', 'e', '192.0.2.7:5060'],
    ['sip_received', 'e', '192.0.2.7:5060'],
  ]);
  rig.pinger.handle({ type: 'debug', ...debugSettings('info', []) });
  const before = linesOf(rig).length;
  await rig.pass(2_000);
  assert.equal(linesOf(rig).length, before);
});

test('a message of a probe is logged with its URI, and the whole message at trace', async () => {
  const rig = new PingerRig();
  rig.pinger.handle({ type: 'debug', ...debugSettings('trace', []) });
  rig.probe();
  await rig.pass(100);
  assert.deepEqual(
    linesOf(rig).map(({ event, fields }) => [event, fields['destination']]),
    [
      ['sip_sent', 'sip:192.0.2.1'],
      ['sip_received', 'sip:192.0.2.1'],
    ],
  );
  assert.match(String(linesOf(rig)[0]?.fields['content']), /^OPTIONS .*\nVia: /s);
});

test('lookups that fail again are debug lines of their destination', async () => {
  const rig = new PingerRig();
  rig.script.locate = () => ({
    ...{ kind: 'failed', reason: 'timeout', detail: 'no answer', errors: ['no answer'] },
  });
  rig.pinger.handle({ type: 'debug', ...debugSettings('info', ['d']) });
  rig.monitor({}, { uri: 'sip:a.example' });
  await rig.pass(5_000);
  assert.equal(rig.messages('log')[0]?.event, 'dns_lookup_failed');
  const [line] = linesOf(rig);
  assert.deepEqual(
    [line?.level, line?.event, line?.fields['destination']],
    ['debug', 'dns_lookup_failed', 'd'],
  );
});

const OPTIONS = 'OPTIONS sip:us SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx\r\n';
const REST = 'From: <sip:a>;tag=1\r\nTo: <sip:b>\r\nCall-ID: theirs\r\nCSeq: 1 OPTIONS\r\n\r\n';

function receiver(...settings: Parameters<typeof debugSettings>) {
  const lines: LogLine[] = [];
  const clock = new FakeClock();
  const debug = new DebugLog({
    now: () => clock.now(),
    afterReads: (callback) => callback(),
    post: (batch) => lines.push(...batch),
  });
  debug.configure(debugSettings(...settings));
  const { take } = new Receiver({
    ...{ clock, debug, faults: noFaults(), guard: noGuard(), stallDetector: new StallDetector() },
    targetAt: () => undefined,
    onUnmatched: () => {},
    onKeepalive: () => {},
    newTag: () => 'tag',
  });
  const receive = (message: string) =>
    take(
      Buffer.from(message),
      { address: '192.0.2.9', port: 5060, isConnection: false, answer() {} },
      'udp',
    );
  return { receive, take, lines };
}

test('a request of a stranger and its response are logged without a destination', () => {
  const { receive, lines } = receiver('debug', []);
  receive(`${OPTIONS}${REST}`);
  assert.deepEqual(
    lines.map(({ event, fields }) => [event, fields['start_line'], fields['peer']]),
    [
      ['sip_received', 'OPTIONS sip:us SIP/2.0', '192.0.2.9:5060'],
      ['sip_sent', 'SIP/2.0 200 OK', '192.0.2.9:5060'],
    ],
  );
});

test('a request is answered to where it came from while it is logged, also when its source is a class', () => {
  const { take } = receiver('debug', []);
  const ports: number[] = [];
  class Lazy {
    readonly isConnection = false;
    get address(): string {
      return '192.0.2.9';
    }
    get port(): number {
      return 5071;
    }
    answer(_message: Uint8Array, port: number): void {
      ports.push(port);
    }
  }
  const request = `${OPTIONS.replace('branch', 'rport;branch')}${REST}`;
  take(Buffer.from(request), new Lazy(), 'udp');
  assert.deepEqual(ports, [5071]);
});

test('with log.destination no stray message is logged; a keepalive never is', () => {
  const chosen = receiver('trace', ['d']);
  chosen.receive(`${OPTIONS}${REST}`);
  assert.deepEqual(chosen.lines, []);
  const all = receiver('trace', []);
  all.receive('\r\n\r\n');
  assert.deepEqual(all.lines, []);
});
