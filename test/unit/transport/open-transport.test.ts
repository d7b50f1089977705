import assert from 'node:assert/strict';
import { after, describe, type TestContext, test } from 'node:test';
import { Pacer } from '../../../src/pinger/time/pacer.js';
import { openTransport } from '../../../src/pinger/transport/open-transport.js';
import { TlsContexts } from '../../../src/pinger/transport/tls-context.js';
import type { Source } from '../../../src/pinger/transport/transport.js';
import type { PingSettings } from '../../../src/shared/destination.js';
import { Faults } from '../../../src/shared/faults.js';
import { Files } from '../../../src/shared/file-contents.js';
import type { TransportFailure, TransportName } from '../../../src/shared/outcome.js';
import type { LogLine } from '../../../src/shared/protocol.js';
import { Authority } from '../../support/certificates.js';
import { FakeClock } from '../../support/fake-clock.js';
import { type FarEndOptions, startFarEnd, startListener } from '../../support/far-end.js';
import { settings } from '../../support/settings.js';
import { needs } from '../../support/tools.js';
import { turnsUntil } from '../../support/turns.js';

const REQUEST = Buffer.from(
  [
    'OPTIONS sip:127.0.0.1 SIP/2.0',
    'Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1',
    'From: <sip:a@127.0.0.1>;tag=1',
    'To: <sip:127.0.0.1>',
    'Call-ID: 1',
    'CSeq: 1 OPTIONS',
    'Content-Length: 0\r\n\r\n',
  ].join('\r\n'),
);
/** Time between two handshakes. */
const GAP_MS = 4;

function setUp(
  t: TestContext,
  name: TransportName,
  change: Partial<PingSettings> = {},
  contents: Readonly<Record<string, string>> = {},
) {
  const clock = new FakeClock();
  const files = new Files();
  files.set(new Map(Object.entries(contents)));
  const events: string[] = [];
  const failures: TransportFailure[] = [];
  const messages: string[] = [];
  const sources: Source[] = [];
  const logged: LogLine[] = [];
  const log = (line: LogLine) => logged.push(line);
  const transport = openTransport({
    ...{ name, clock, log, settings: { ...settings(), ...change } },
    contexts: new TlsContexts(files, log),
    handshakes: new Pacer(clock, GAP_MS),
    faults: new Faults({ now: () => 0, log }),
    onMessage: (bytes, from) => {
      messages.push(Buffer.from(bytes).toString());
      sources.push(from);
      return true;
    },
    onUdpRebind: () => {},
    ...{ kernelUdp: undefined, libc: undefined },
  });
  t.after(() => transport.close());
  const open = (port: number, isForOnce = false, address = '127.0.0.1') => {
    const flow = transport.open(
      { address, port, family: 4, domain: 'a.example' },
      {
        ready: () => events.push('ready'),
        waitingFor: (what) => events.push(`waiting for ${what}`),
        failed: (failure) => {
          events.push(`failed ${failure.reason}`);
          failures.push(failure);
        },
        connectionLost: () => events.push('lost'),
        connected: (phase) => events.push(phase),
        secured: () => events.push('secured'),
      },
      isForOnce,
    );
    t.after(() => flow.close());
    return flow;
  };
  const until = (event: string) => turnsUntil(event, () => events.includes(event));
  return { open, events, failures, messages, sources, logged, clock, files, until };
}

const CONNECT = ['waiting for a connection', 'connect'];
const SECURE = ['waiting for a connection', 'waiting for the TLS handshake', 'connect'];
const SECURED = ['tls', 'secured'];
const UPGRADE = 'waiting for the upgrade to WebSocket';

describe('a transport', needs('openssl'), () => {
  const authority = Authority.root({ after });
  const { cert, key } = authority.issue({ name: 'far end', alternative: 'DNS:a.example' });
  const caSettings = { tls: settings({ tls: { caFile: 'ca.pem' } }).tls };
  const files = { 'ca.pem': authority.ca };
  const secureOptions: FarEndOptions = { tls: { cert, key } };

  for (const [name, steps, isReliable] of [
    ['udp', [], false],
    ['tcp', CONNECT, true],
    ['tls', [...SECURE, ...SECURED], true],
    ['ws', [...CONNECT, UPGRADE], true],
    ['wss', [...SECURE, ...SECURED, UPGRADE], true],
  ] as const) {
    const isSecure = name === 'tls' || name === 'wss';

    test(`over ${name} reports what it waits for, and carries requests and responses`, async (t) => {
      const farEnd = await startFarEnd(
        t,
        name,
        (_request, good) => [good],
        isSecure ? secureOptions : {},
      );
      const rig = setUp(t, name, caSettings, files);
      const flow = rig.open(farEnd.port);
      flow.prepare();
      await rig.until('ready');
      assert.deepEqual(rig.events, [...steps, 'ready']);
      for (const count of [1, 2]) {
        flow.send(REQUEST);
        await turnsUntil('it is answered', () => rig.messages.length === count);
      }
      assert.match(rig.messages[0] ?? '', /^SIP\/2\.0 200 OK\r\n/);
      assert.deepEqual(
        rig.sources.map(({ port, isConnection }) => [port, isConnection]),
        [
          [farEnd.port, isReliable],
          [farEnd.port, isReliable],
        ],
      );
      assert.equal(flow.isReliable, isReliable);
      assert.equal(farEnd.callers.length, 1, 'one connection carries both');
      rig.sources[0]?.answer(Buffer.from(REQUEST), farEnd.port);
      await turnsUntil('the peer has its answer', () => farEnd.requests.length === 3);
    });
  }

  for (const name of ['tls', 'wss'] as const) {
    test(`over ${name} fails with a local error that names the file while a file is invalid`, (t) => {
      const { open, failures } = setUp(t, name, caSettings, { 'ca.pem': 'no certificate' });
      open(5061).prepare();
      assert.deepEqual(failures, [{ reason: 'local', detail: 'ca.pem: no certificate' }]);
    });

    test(`over ${name} spaces out handshakes, destinations before probes`, async (t) => {
      const farEnd = await startFarEnd(t, name, () => [], secureOptions);
      const rig = setUp(t, name, caSettings, files);
      const [first, probe] = [rig.open(farEnd.port), rig.open(farEnd.port, true)] as const;
      const second = rig.open(farEnd.port);
      for (const flow of [first, probe, second]) flow.prepare();
      await rig.until('ready');
      assert.equal(farEnd.connections, 1);
      rig.clock.advance(GAP_MS);
      await turnsUntil('the second one is ready', () => farEnd.callers.length === 2);
      // A cancelled probe leaves the queue.
      probe.close();
      rig.clock.advance(10 * GAP_MS);
      await turnsUntil(
        'both are ready',
        () => rig.events.filter((e) => e === 'ready').length === 2,
      );
      assert.equal(farEnd.connections, 2);
    });
  }

  for (const [name, step] of [
    ['tcp', 'waiting for a connection'],
    ['tls', 'waiting for the TLS handshake'],
    ['ws', UPGRADE],
  ] as const) {
    test(`over ${name} that is cancelled while it is ${step} closes its connection`, async (t) => {
      const listener = await startListener(t, (tcp) => tcp.resume());
      const rig = setUp(t, name, caSettings, files);
      const flow = rig.open(listener.port);
      flow.prepare();
      await rig.until(step);
      if (name !== 'tcp') await turnsUntil('it is accepted', () => listener.open() === 1);
      flow.pingEnded(false);
      await turnsUntil('it is closed', () => listener.open() === 0);
      assert.deepEqual(rig.failures, []);
    });
  }

  for (const name of ['tcp', 'tls', 'ws', 'wss'] as const) {
    test(`over ${name} is refused by a closed port`, async (t) => {
      const { port } = await startListener(t, () => {});
      const rig = setUp(t, name, caSettings, files);
      rig.open(port, false, '127.0.0.9').prepare();
      await rig.until('failed refused');
      assert.deepEqual(rig.events, ['waiting for a connection', 'failed refused']);
    });
  }

  test('over TLS opens another connection once its files have changed', async (t) => {
    const farEnd = await startFarEnd(t, 'tls', () => [], secureOptions);
    const rig = setUp(t, 'tls', caSettings, files);
    const flow = rig.open(farEnd.port);
    const ping = async (count: number) => {
      flow.prepare();
      await turnsUntil(
        'it is ready',
        () => rig.events.filter((e) => e === 'ready').length === count,
      );
      flow.pingEnded(true);
    };
    await ping(1);
    await ping(2);
    assert.equal(farEnd.connections, 1);
    rig.files.set(new Map([['ca.pem', `${authority.ca}${Authority.root(t, 'Another').ca}`]]));
    rig.clock.advance(GAP_MS);
    await ping(3);
    assert.equal(farEnd.connections, 2);
    await turnsUntil('the old one is closed', () => farEnd.callers[0]?.isClosed);
  });
});
