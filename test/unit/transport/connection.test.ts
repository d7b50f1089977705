import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DebugLog } from '../../../src/pinger/debug/debug-log.js';
import type { Channel } from '../../../src/pinger/transport/channel.js';
import { ReliableTransport } from '../../../src/pinger/transport/connection.js';
import type { ChannelRequest } from '../../../src/pinger/transport/open-channel.js';
import type { FlowListener } from '../../../src/pinger/transport/transport.js';
import type { LogLine } from '../../../src/shared/protocol.js';
import { FakeClock } from '../../support/fake-clock.js';

const LOCAL = { address: '', port: 40_000 };
const DESTINATION = { name: 'trunk', uri: 'sip:192.0.2.1' };

function setUp(options: { readonly isPersistent?: boolean; readonly isForOnce?: boolean } = {}) {
  const { isPersistent = true, isForOnce = false } = options;
  const clock = new FakeClock();
  const requests: ChannelRequest[] = [];
  const events: string[] = [];
  const logged: LogLine[] = [];
  const debugged: LogLine[] = [];
  const tls = { context: undefined as unknown };
  const debug = new DebugLog({
    now: () => clock.now(),
    afterReads: (callback) => callback(),
    post: (lines) => debugged.push(...lines),
  });
  debug.configure({ level: 'debug', destinations: [] });
  const transport = new ReliableTransport({
    ...{ name: 'tls', debug, isPersistent, clock },
    openChannel: (request) => {
      requests.push(request);
      return () => events.push('cancelled');
    },
    onMessage: (bytes) => {
      events.push(`message ${Buffer.from(bytes)}`);
      return true;
    },
    log: (line) => logged.push(line),
    currentTlsContext: () => tls.context,
  });
  const listener: FlowListener = {
    ready: () => events.push('ready'),
    waitingFor: (what) => events.push(`waiting for ${what}`),
    failed: ({ reason }) => events.push(`failed ${reason}`),
    connectionLost: () => events.push('lost'),
    connected: (phase) => events.push(phase),
    secured: () => events.push('secured'),
  };
  const endpoint = { address: '192.0.2.1', port: 5061, family: 4, domain: 'a.example' } as const;
  const flow = transport.open({ ...endpoint, destination: DESTINATION }, listener, isForOnce);
  const channel = (isWithinMessage = false): Channel => ({
    ...{ local: LOCAL, isWithinMessage },
    send: (bytes) => events.push(`sent ${Buffer.from(bytes)}`),
    end: () => events.push('ended'),
    destroy: () => events.push('destroyed'),
  });
  const last = () => requests.at(-1) ?? assert.fail('no channel was requested');
  return {
    ...{ flow, events, logged, clock, tls, requests, last, channel, transport },
    /** Opens what is requested, and forgets the events so far. */
    connect: (isWithinMessage = false) => {
      flow.prepare();
      last().opening.opened(channel(isWithinMessage));
      events.length = 0;
    },
    lines: () => debugged.map(({ event, fields }) => [event, fields['why'] ?? fields['local']]),
  };
}

test('all pings use one connection', () => {
  const { flow, events, last, channel, requests, lines } = setUp();
  flow.prepare();
  last().opening.waitingFor('a connection');
  last().opening.connected('connect', 10);
  last().opening.opened(channel());
  flow.send(Buffer.from('1'));
  last().listener.received(Buffer.from('200'));
  flow.pingEnded(true);
  flow.prepare();
  flow.resend(Buffer.from('2'));
  assert.deepEqual(events, [
    ...['waiting for a connection', 'connect', 'ready', 'sent 1', 'message 200', 'ready', 'sent 2'],
  ]);
  assert.equal(requests.length, 1);
  assert.deepEqual(lines(), [['connection_opened', ':40000']]);
});

for (const options of [{ isPersistent: false }, { isForOnce: true }]) {
  test(`with ${JSON.stringify(options)} each ping has its own connection`, () => {
    const { flow, connect, events, requests, lines } = setUp(options);
    connect();
    flow.pingEnded(true);
    assert.deepEqual(events, ['ended']);
    connect();
    assert.equal(requests.length, 2);
    assert.deepEqual(lines()[1], ['connection_closed', 'it is for one ping only']);
  });
}

test('a connection on which a ping is not answered is closed at once', () => {
  const { flow, connect, events, lines } = setUp();
  connect();
  flow.pingEnded(false);
  assert.deepEqual(events, ['destroyed']);
  assert.deepEqual(lines().at(-1), ['connection_closed', 'a ping was not answered']);
});

test('a connection that is not open when the ping ends is cancelled', () => {
  const { flow, events, lines, last, channel } = setUp();
  flow.prepare();
  flow.pingEnded(false);
  assert.deepEqual(events, ['cancelled']);
  assert.deepEqual(lines(), [['connection_failed', 'a ping was not answered']]);
  last().opening.opened(channel());
  last().opening.failed({ reason: 'refused' });
  assert.deepEqual(events, ['cancelled', 'destroyed']);
});

test('a connection that cannot be opened fails the ping', () => {
  const { flow, events, last, lines } = setUp();
  flow.prepare();
  last().opening.failed({ reason: 'refused', detail: 'ECONNREFUSED' });
  assert.deepEqual(events, ['failed refused']);
  assert.deepEqual(lines(), [['connection_failed', 'ECONNREFUSED']]);
});

test('a connection that the peer closes when a ping is sent is reopened for that ping', () => {
  const { flow, connect, events, last } = setUp();
  connect();
  flow.pingEnded(true);
  flow.prepare();
  last().listener.closed({ reason: 'reset' });
  assert.deepEqual(events, ['ready', 'lost']);
});

test('a connection that breaks after the peer has sent something fails the ping', () => {
  const { flow, connect, events, last, lines } = setUp();
  connect();
  flow.pingEnded(true);
  flow.prepare();
  last().listener.active();
  last().listener.closed({ reason: 'reset' });
  last().listener.closed({ reason: 'reset' });
  assert.deepEqual(events, ['ready', 'failed reset']);
  assert.match(String(lines().at(-1)?.[1]), /reset|closed/);
});

test('an idle connection that the peer floods is logged once', () => {
  const { flow, connect, logged, last } = setUp();
  for (let i = 0; i < 2; i++) {
    connect();
    flow.pingEnded(true);
    last().listener.closed({ reason: 'malformed', detail: 'the peer floods' });
  }
  assert.deepEqual(
    logged.map(({ event, fields }) => [event, fields]),
    [['idle_connection_closed', { address: '192.0.2.1:5061', error: 'the peer floods' }]],
  );
});

test('an idle connection that the peer closes is not logged as a warning', () => {
  const { flow, connect, logged, last } = setUp();
  connect();
  flow.pingEnded(true);
  last().listener.closed({ reason: 'reset' });
  assert.deepEqual(logged, []);
});

test('other TLS files replace the connection', () => {
  const { flow, connect, events, tls, requests } = setUp();
  connect();
  flow.pingEnded(true);
  tls.context = 'another';
  flow.prepare();
  assert.deepEqual([events, requests.length], [['ended'], 2]);
});

test('a TLS connection is replaced after an hour, or when its certificate expires', () => {
  for (const [expiresInMs, ageMs] of [
    [7_200_000, 3_600_000],
    [60_000, 60_000],
  ] as const) {
    const { flow, events, clock, last, channel, requests } = setUp();
    flow.prepare();
    const now = clock.epoch();
    last().opening.secured({
      ...{ version: '', cipher: '', subject: '', issuer: '', subjectAlternative: '' },
      ...{ serialNumber: '', fingerprint: '', notBeforeMs: 0, notAfterMs: now, fault: '' },
      ...{ chainNotAfterMs: now + expiresInMs, chain: [], isVerified: true },
    });
    last().opening.opened(channel());
    flow.pingEnded(true);
    clock.advance(ageMs - 1);
    flow.prepare();
    flow.pingEnded(true);
    assert.equal(requests.length, 1);
    clock.advance(1);
    flow.prepare();
    assert.deepEqual([events.at(-1), requests.length], ['ended', 2]);
  }
});

test('a timeout says when a part of the response was received', () => {
  const { flow, connect } = setUp();
  connect(true);
  const timeout = { kind: 'failed', reason: 'timeout' } as const;
  const detail = 'only a part of the response was received';
  assert.deepEqual(flow.explain(timeout), { ...timeout, detail });
  assert.deepEqual(flow.explain({ kind: 'failed', reason: 'refused' }), {
    ...{ kind: 'failed', reason: 'refused' },
  });
});

test('closing a flow closes its connection', () => {
  const { flow, connect, events, transport, lines } = setUp();
  connect();
  flow.close();
  transport.close();
  assert.deepEqual(events, ['ended']);
  assert.deepEqual(lines().at(-1)?.[0], 'connection_closed');
});
