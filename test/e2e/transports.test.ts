/** Tests of every transport, and of every transport with connections. */

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { TRANSPORTS, type TransportName } from '../../src/shared/outcome.js';
import { Authority } from '../support/certificates.js';
import { type Exporter, startExporter, sum } from '../support/exporter.js';
import {
  type Answers,
  END,
  type FarEnd,
  type FarEndOptions,
  startFarEnd,
  startListener,
  wait,
} from '../support/far-end.js';
import { eventually } from '../support/process.js';
import { needs } from '../support/tools.js';
import { EACH_UDP_IO } from '../support/udp-io.js';

/** For far ends that answer: long enough for a busy machine. */
const SLOW = { ping_interval: 6, ping_timeout: 5.5 };
/** For far ends that do not answer in time. */
const FAST = { ping_interval: 1.3, ping_timeout: 0.9 };
/** After the deadline. */
const LATE_MS = 1_100;
/** After an answer, and long before the next ping. */
const IDLE_MS = 100;

const ANOTHER_BRANCH = (good: string) =>
  good.replace(/(branch=z9hG4bK[0-9a-f]{8})[0-9a-f]{32}/, `$1${'0'.repeat(32)}`);

/** The far ends over one transport, by the names of their destinations. */
const FAR_ENDS = {
  well: (_request, good) => [good],
  mortal: (_request, good) => [good],
  asking: (_request, good) => [good],
  each: (_request, good) => [good],
  missing: (_request, good) => [good.replace('200 OK', '404 Not Found')],
  busy: (_request, good) => [good.replace('200 OK', '503 Service Unavailable')],
  trying: (_request, good) => [good.replace('200 OK', '100 Trying'), wait(200), good],
  silent: () => [],
  late: (_request, good) => [wait(LATE_MS), good],
  stray: (_request, good) => [ANOTHER_BRANCH(good)],
  malformed: (_request, good) => [good.replace('200 OK', '4294967301 Better')],
  // Closes each connection after one request.
  tidy: (_request, good) => [good, wait(IDLE_MS), END],
  // The same, but it closes the connection when the next request arrives.
  racing: (_request, good, { requests }) => (requests.length > 1 ? [END] : [good]),
  // As if the host of an open connection had disappeared.
  dead: (_request, good, { requests }) => (requests.length > 1 ? [] : [good]),
} as const satisfies Record<string, Answers>;

/** Far ends whose pings time out. */
const UNANSWERED: readonly Name[] = ['silent', 'late', 'stray'];

type Name = keyof typeof FAR_ENDS;

/** Far ends over connections only. */
const OF_CONNECTIONS: readonly Name[] = ['each', 'tidy', 'racing', 'dead'];

class World {
  readonly exporter: Exporter;
  readonly #farEnds: ReadonlyMap<string, FarEnd>;

  constructor(exporter: Exporter, farEnds: ReadonlyMap<string, FarEnd>) {
    this.exporter = exporter;
    this.#farEnds = farEnds;
  }

  static async start(
    t: TestContext,
    transport: TransportName,
    args: readonly string[],
  ): Promise<World> {
    const { options, tlsConfig } = securityFor(t, transport);
    const names = (Object.keys(FAR_ENDS) as Name[]).filter(
      (name) => transport !== 'udp' || !OF_CONNECTIONS.includes(name),
    );
    const farEnds = new Map<string, FarEnd>();
    for (const name of names) {
      farEnds.set(name, await startFarEnd(t, transport, onlyOnce(FAR_ENDS[name]), options));
    }
    const destinations = names.map((name) => ({
      name,
      uri: `127.0.0.1:${farEnds.get(name)?.port};transport=${transport}`,
      ...(UNANSWERED.includes(name) ? FAST : SLOW),
      ...(name === 'each' ? { connection: 'per_ping' } : {}),
    }));
    const exporter = await startExporter(t, { ...tlsConfig, destinations }, args);
    return new World(exporter, farEnds);
  }

  farEnd(name: Name): FarEnd {
    const found = this.#farEnds.get(name);
    if (found === undefined) throw new Error(`there is no far end ${name} over this transport`);
    return found;
  }

  metric(name: string, destination: Name, labels: Record<string, string> = {}) {
    return this.exporter.metric(`sip_keepalive_${name}`, { destination, ...labels });
  }

  /** Waits for this many pings. Returns the counters of the destination, from one scrape. */
  pings(destination: Name, atLeast: number) {
    return eventually(`${atLeast} pings of ${destination}`, async () => {
      const text = await this.exporter.get('/metrics');
      const of = (name: string, labels: Record<string, string> = {}) =>
        sum(text, `sip_keepalive_${name}`, { destination, ...labels });
      const pings = of('pings_total') ?? 0;
      const failures = of('ping_failures_total');
      const timeouts = of('ping_failures_total', { reason: 'timeout' });
      const rtts = of('rtt_seconds_count') ?? 0;
      const retransmissions = of('retransmissions_total') ?? 0;
      const lates = of('late_responses_total');
      return pings >= atLeast && { pings, failures, timeouts, rtts, retransmissions, lates };
    });
  }

  verdict(destination: Name, wanted: 'up' | 'down', reason: string | null) {
    return eventually(`${destination} is ${wanted} ${reason ?? ''}`, async () => {
      const found = await this.exporter.destination(destination);
      return found.state === wanted && found.reason === reason && found.targets[0];
    });
  }
}

/** Does not answer retransmissions over UDP (RFC 3261 17.1.2.2): the answer would be a stray. */
function onlyOnce(answers: Answers): Answers {
  return (request, good, caller) => {
    const isAgain = caller.requests.at(-2) === request;
    return isAgain ? [] : answers(request, good, caller);
  };
}

/** A certificate for the far end, and the setting that trusts it, if the transport needs one. */
function securityFor(
  t: TestContext,
  transport: TransportName,
): { readonly options: FarEndOptions; readonly tlsConfig: object } {
  if (!isSecure(transport)) return { options: {}, tlsConfig: {} };
  const authority = Authority.root(t);
  const { cert, key } = authority.issue({ name: 'far end', alternative: 'IP:127.0.0.1' });
  return {
    options: { tls: { cert, key } },
    tlsConfig: { tls_config: { ca_file: authority.caFile } },
  };
}

function isSecure(transport: TransportName): boolean {
  return transport === 'tls' || transport === 'wss';
}

// The transports are independent, and the tests mostly wait.
describe('over', { concurrency: true }, () => {
  const wires = [
    ...EACH_UDP_IO.map(([io, options]) => ['udp', `udp by ${io}`, options, io] as const),
    ...TRANSPORTS.filter((transport) => transport !== 'udp').map(
      (transport) =>
        [transport, transport, isSecure(transport) ? needs('openssl') : {}, 'auto'] as const,
    ),
  ];
  for (const [transport, title, options, io] of wires) {
    test(title, options, async (t) => {
      const world = await World.start(t, transport, [`--udp.io=${io}`]);
      await testAnswers(t, world);
      await testFailures(t, world, transport);
      if (transport !== 'udp') await testConnections(t, world, transport);
      await testRequests(t, world, transport);
      await t.test('the pinger thread has never crashed', () => {
        assert.equal(world.exporter.crashes(), 0);
      });
    });
  }
});

test('over WebSocket the Host header is that of the destination, even one that is invalid in a URL', async (t) => {
  const heads: string[] = [];
  const listener = await startListener(t, (socket) =>
    socket.on('data', (data) => heads.push(data.toString())),
  );
  const hosts = ['xn--a.localhost', '127.0.0.1'].map((host) => `${host}:${listener.port}`);
  await startExporter(t, { destinations: hosts.map((host) => `${host};transport=ws`) });
  for (const host of hosts) {
    await eventually(host, () => heads.some((head) => head.includes(`\r\nHost: ${host}\r\n`)));
  }
});

async function testAnswers(t: TestContext, world: World): Promise<void> {
  await t.test('a 200 makes it up, and round trips are measured', async () => {
    const { address, sip_code, detail } = await world.verdict('well', 'up', null);
    assert.deepEqual([sip_code, detail], [200, null]);
    assert.equal(address, `127.0.0.1:${world.farEnd('well').port}`);
    const { pings, failures, rtts } = await world.pings('well', 3);
    assert.equal(failures, 0);
    // An answer that is read after a stall of the exporter has no round-trip time.
    assert.ok(rtts >= 1 && rtts <= pings, `${rtts} round trips of ${pings} pings`);
    const seconds = (await world.metric('rtt_seconds_sum', 'well')) ?? 0;
    assert.ok(seconds > 0 && seconds < rtts * SLOW.ping_timeout, `${seconds} s of ${rtts}`);
    assert.equal(await world.metric('late_responses_total', 'well'), 0);
  });

  await t.test('a 404 makes it down with reason code, and round trips are measured', async () => {
    assert.equal((await world.verdict('missing', 'down', 'code')).sip_code, 404);
    const { rtts, timeouts } = await world.pings('missing', 2);
    assert.ok(rtts >= 1);
    assert.equal(timeouts, 0);
    assert.ok(((await world.metric('responses_total', 'missing', { code: '404' })) ?? 0) >= 2);
  });

  await t.test('a 503 makes it down with reason code', async () => {
    assert.equal((await world.verdict('busy', 'down', 'code')).sip_code, 503);
  });

  await t.test('a 100 does not end a ping, and the 200 after it does', async () => {
    assert.equal((await world.verdict('trying', 'up', null)).sip_code, 200);
    const { pings, failures } = await world.pings('trying', 2);
    assert.equal(failures, 0);
    assert.ok(((await world.metric('responses_total', 'trying', { code: '200' })) ?? 0) >= pings);
    assert.equal(await world.metric('responses_total', 'trying', { code: '100' }), undefined);
  });
}

async function testFailures(t: TestContext, world: World, transport: TransportName): Promise<void> {
  await t.test('silence is a timeout without a round-trip time', async () => {
    // On a busy machine the first ping may end before its connection is there.
    const { sip_code, rtt } = await eventually('a request without an answer', async () => {
      const found = await world.verdict('silent', 'down', 'timeout');
      return found.detail === null && found;
    });
    assert.deepEqual([sip_code, rtt], [null, null]);
    const { pings, timeouts, rtts } = await world.pings('silent', 3);
    assert.deepEqual([timeouts, rtts], [pings, 0]);
  });

  await t.test(
    transport === 'udp'
      ? 'an unanswered request is retransmitted (RFC 3261 17.1.2.2)'
      : 'an unanswered request is sent once, because the transport is reliable (RFC 3261 17.1.2.2)',
    async () => {
      await world.pings('silent', 3);
      await eventually('every retransmission is counted', async () => {
        const { requests } = world.farEnd('silent');
        const again = requests.length - new Set(requests).size;
        const { retransmissions } = await world.pings('silent', 3);
        return retransmissions === again && again > 0 === (transport === 'udp');
      });
    },
  );

  await t.test('an answer after the deadline does not change the timeout', async () => {
    await world.verdict('late', 'down', 'timeout');
    const { pings, timeouts, rtts } = await world.pings('late', 3);
    assert.deepEqual([timeouts, rtts], [pings, 0]);
    const lates = async () => (await world.metric('late_responses_total', 'late')) ?? 0;
    // A connection is closed with its unanswered ping, so later data is not received.
    if (transport === 'udp') await eventually('two late ones', async () => (await lates()) >= 2);
    else assert.equal(await lates(), 0);
  });

  await t.test('an answer with another branch is counted and does not end the ping', async () => {
    await world.verdict('stray', 'down', 'timeout');
    const { pings, timeouts, rtts } = await world.pings('stray', 3);
    assert.deepEqual([timeouts, rtts], [pings, 0]);
    await eventually('every stray is counted', async () => {
      const unmatched = await world.exporter.metric('sip_keepalive_unmatched_messages_total');
      const distinct = (name: Name) => new Set(world.farEnd(name).requests).size;
      const strays = distinct('stray');
      // Some may arrive after their connection was closed, or, as late answers, after the next ping.
      const least = transport === 'udp' ? strays : 1;
      return (unmatched ?? 0) >= least && (unmatched ?? 0) <= strays + distinct('late');
    });
  });

  await t.test('an answer with the right branch and an invalid status is malformed', async () => {
    const { sip_code } = await world.verdict('malformed', 'down', 'malformed');
    assert.equal(sip_code, null);
    assert.equal((await world.pings('malformed', 2)).rtts, 0);
  });

  await t.test('a far end that stops is refused, and up when it is started again', async () => {
    await world.verdict('mortal', 'up', null);
    await world.farEnd('mortal').stop();
    await world.verdict('mortal', 'down', 'refused');
    await world.farEnd('mortal').start();
    await world.verdict('mortal', 'up', null);
  });
}

async function testConnections(
  t: TestContext,
  world: World,
  transport: TransportName,
): Promise<void> {
  const phases = isSecure(transport) ? ['connect', 'tls'] : ['connect'];

  await t.test('all pings use one connection', async () => {
    const { retransmissions } = await world.pings('well', 4);
    assert.equal(retransmissions, 0);
    assert.deepEqual(
      [world.farEnd('well').connections, world.farEnd('well').callers.length],
      [1, 1],
    );
    for (const phase of phases) {
      // A connection that is opened during a stall of the exporter has no connection time.
      const times = (await world.metric('connect_seconds_count', 'well', { phase })) ?? 0;
      const stalls = (await world.exporter.metric('sip_keepalive_pinger_stalls_total')) ?? 0;
      assert.ok(times === 1 || (times === 0 && stalls > 0), `${times} times of ${phase}`);
    }
  });

  await t.test(
    'with connection: per_ping each ping has its own connection, which is closed',
    async () => {
      const { failures } = await world.pings('each', 3);
      assert.equal(failures, 0);
      const { callers } = world.farEnd('each');
      assert.ok(callers.length >= 3);
      for (const { requests } of callers) assert.ok(requests.length <= 1, 'one ping each');
      const [first] = callers;
      await eventually('the first is closed', () => first?.isClosed === true);
      for (const phase of phases) {
        const times = () => world.metric('connect_seconds_count', 'each', { phase });
        await eventually(`times of ${phase}`, async () => ((await times()) ?? 0) >= 3);
      }
    },
  );

  await t.test(
    'a connection that the peer closes while it is idle is reopened, and no ping fails',
    async () => {
      const { failures } = await world.pings('tidy', 4);
      assert.equal(failures, 0);
      assert.ok(world.farEnd('tidy').connections >= 4);
      await world.verdict('tidy', 'up', null);
    },
  );

  await t.test(
    'a connection that the peer closes when a ping arrives is reopened for that ping, and no ping fails',
    async () => {
      const { failures, pings, rtts } = await world.pings('racing', 4);
      assert.equal(failures, 0);
      assert.ok(rtts >= 1 && rtts <= pings);
      const again = world.farEnd('racing').callers.filter(({ requests }) => requests.length > 1);
      assert.ok(again.length >= 2, `${again.length} closed at a second request`);
    },
  );

  await t.test(
    'a connection with an unanswered ping is closed, and the next ping uses another',
    async () => {
      await eventually('three connections', () => world.farEnd('dead').callers.length >= 3);
      const [first, second] = world.farEnd('dead').callers;
      assert.deepEqual([first?.requests.length, second?.requests.length], [2, 2]);
      await eventually('the first is closed', () => first?.isClosed === true);
      const { pings, failures, timeouts } = await world.pings('dead', 4);
      assert.equal(failures, timeouts);
      assert.ok((failures ?? 0) >= 1 && (failures ?? 0) <= pings / 2, `${failures} of ${pings}`);
    },
  );

  await t.test(
    'a connection that was lost with its peer is not reused when the peer is back',
    async () => {
      const { connections, callers } = world.farEnd('mortal');
      assert.equal(connections, 2);
      assert.equal(callers.length, 2);
    },
  );
}

async function testRequests(t: TestContext, world: World, transport: TransportName): Promise<void> {
  const request = (method: string) =>
    [
      `${method} sip:keepalive@127.0.0.1 SIP/2.0`,
      `Via: SIP/2.0/${transport.toUpperCase()} 127.0.0.1:9;branch=z9hG4bK${method};rport`,
      'From: <sip:a@far.example>;tag=1',
      'To: <sip:keepalive@127.0.0.1>',
      `Call-ID: ${method}`,
      `CSeq: 7 ${method}`,
      'Max-Forwards: 70',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n');

  await t.test(
    transport === 'udp'
      ? 'an OPTIONS of the peer is answered with 200, other requests are not answered'
      : 'an OPTIONS of the peer is answered with 200, a MESSAGE with 405, an ACK is not answered',
    async () => {
      await world.verdict('asking', 'up', null);
      const [caller] = world.farEnd('asking').callers;
      assert.ok(caller !== undefined);
      await caller.act([request('ACK'), request('MESSAGE'), request('OPTIONS')]);
      const wanted = transport === 'udp' ? ['200 OK'] : ['405 Method Not Allowed', '200 OK'];
      await eventually('the answers', () => caller.replies.length >= wanted.length);
      assert.deepEqual(
        caller.replies.map((text) => /^SIP\/2\.0 ([^\r]+)\r\n/.exec(text)?.[1]),
        wanted,
      );
      const last = caller.replies.at(-1) ?? '';
      for (const line of [
        'CSeq: 7 OPTIONS',
        'Call-ID: OPTIONS',
        'Allow: OPTIONS',
        'Content-Length: 0',
      ]) {
        assert.ok(last.includes(`\r\n${line}\r\n`), line);
      }
      assert.match(last, /\r\nTo: <sip:keepalive@127\.0\.0\.1>;tag=[0-9a-f]+\r\n/);
      await world.verdict('asking', 'up', null);
      assert.equal((await world.pings('asking', 3)).failures, 0);
    },
  );
}
