/** What the network, and our own kernel, do to UDP pings: in a network namespace, for real. */

import assert from 'node:assert/strict';
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { UdpIo } from '../../src/shared/ledger/layout.js';
import { startCapture } from '../support/capture.js';
import { type Exporter, startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { command, ip, startFarNetwork } from '../support/far-network.js';
import {
  IS_INSIDE,
  mayMakeNamespaces,
  raiseLoopback,
  runInNamespace,
} from '../support/namespace.js';
import { freePort } from '../support/ports.js';
import { eventually } from '../support/process.js';
import { needs } from '../support/tools.js';
import { EACH_UDP_IO } from '../support/udp-io.js';

const HURRIED = { ping_interval: 0.5, ping_timeout: 0.4 };

/** Waits until a ping of a destination fails for this reason, with this in its detail. */
function fails(exporter: Exporter, name: string, reason: string, detail = /.*/): Promise<boolean> {
  return eventually(`${name} fails: ${reason} ${detail}`, async () => {
    const [target] = (await exporter.destination(name)).targets;
    if (target?.reason === reason && detail.test(target.detail ?? '')) return true;
    throw new Error(`${target?.reason}: ${target?.detail}`);
  });
}

function hasCode(exporter: Exporter, name: string, code: number): Promise<unknown> {
  return eventually(
    `${name} has the code ${code}`,
    async () => (await exporter.isAlive(name)) === code,
  );
}

/** Sockets that receive and never answer. */
async function startSilent(t: TestContext, address: string): Promise<number> {
  const socket = dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4');
  t.after(() => socket.close());
  socket.bind(0, address);
  await once(socket, 'listening');
  return socket.address().port;
}

async function testDscp(t: TestContext, io: UdpIo): Promise<void> {
  const pings: { name: string; uri: string; port: number; dscp: number }[] = [];
  for (const dscp of [0, 26, 46]) {
    for (const [family, address, host] of [
      ['four', '127.0.0.1', '127.0.0.1'],
      ['six', '::1', '[::1]'],
    ] as const) {
      const port = await startSilent(t, address);
      pings.push({ name: `${family} ${dscp}`, uri: `${host}:${port}`, port, dscp });
    }
  }
  const capture = startCapture(t);
  const destinations = pings.map(({ name, uri, dscp }) => ({ name, uri, dscp }));
  const exporter = await startExporter(t, { ...HURRIED, destinations }, [`--udp.io=${io}`]);
  const classes = new Map<number, Set<number>>();
  await eventually('every ping is captured', () => {
    for (const { destinationPort, trafficClass } of capture()) {
      const known = classes.get(destinationPort) ?? new Set();
      classes.set(destinationPort, known.add(trafficClass));
    }
    return pings.every(({ port }) => classes.has(port));
  });
  for (const { name, port, dscp } of pings) {
    assert.deepEqual([...(classes.get(port) ?? [])], [io === 'kernel' ? dscp << 2 : 0], name);
  }
  const warnings = exporter.output().match(/"udp_dscp_unsupported"/g) ?? [];
  assert.equal(warnings.length, io === 'kernel' ? 0 : 1);
}

/** Two networks that use the same addresses, as those of two VRFs may. */
async function testInterface(t: TestContext, io: UdpIo): Promise<void> {
  const [one, two] = [await startFarNetwork(t, 'one'), await startFarNetwork(t, 'two')];
  one.connect('near1', '10.77.1.1', '10.77.1.9');
  two.connect('near2', '10.77.1.2', '10.77.1.9');
  const destinations = ['udp', 'tcp'].flatMap((transport) => [
    { name: `one ${transport}`, uri: `10.77.1.9;transport=${transport}`, interface: 'near1' },
    { name: `two ${transport}`, uri: `10.77.1.9;transport=${transport}`, interface: 'near2' },
  ]);
  const exporter = await startExporter(t, { ...HURRIED, destinations }, [`--udp.io=${io}`]);
  for (const { name } of destinations) {
    await hasCode(exporter, name, 1);
    const { server } = await exporter.destination(name);
    assert.equal(server, io === 'kernel' ? name.slice(0, 3) : 'one', name);
  }
  const warnings = exporter.output().match(/"interface_unsupported"/g) ?? [];
  assert.equal(warnings.length, io === 'kernel' ? 0 : 1);
}

async function testInterfaceGone(t: TestContext, io: UdpIo): Promise<void> {
  const far = await startFarNetwork(t, 'far');
  const connect = () => far.connect('near', '10.77.2.1', '10.77.2.9');
  connect();
  const destinations = [
    { name: 'bound', uri: '10.77.2.9', interface: 'near' },
    { name: 'source', uri: '10.77.2.9', source_address: '10.77.2.1' },
    { name: 'routed', uri: '10.77.2.9' },
  ];
  const tcp = { uri: '10.77.2.9;transport=tcp', interface: 'near', connection: 'per_ping' };
  const config = { ...HURRIED, destinations: [...destinations, { name: 'tcp', ...tcp }] };
  const exporter = await startExporter(t, config, [`--udp.io=${io}`]);
  const names = destinations.map(({ name }) => name);
  const areUp = async () => {
    for (const name of names) await hasCode(exporter, name, 1);
  };
  await areUp();
  ip('link set near down');
  for (const name of names) await fails(exporter, name, 'unreachable');
  ip('link set near up');
  await areUp();
  ip('link delete near');
  await fails(exporter, 'routed', 'unreachable');
  await fails(exporter, 'source', 'local', /EADDRNOTAVAIL/);
  if (io === 'kernel') {
    for (const name of ['bound', 'tcp']) await fails(exporter, name, 'local', /^ENODEV: /);
  }
  // An interface of that name is another one now.
  connect();
  await areUp();
  await hasCode(exporter, 'tcp', 1);
  assert.equal(await exporter.metric('sip_keepalive_pinger_faults_total'), 0);
}

async function testRoute(t: TestContext, io: UdpIo): Promise<void> {
  const far = await startFarNetwork(t, 'far');
  far.connect('near', '10.77.3.1', '10.77.3.9');
  far.command('ip', 'address add 198.51.100.1/32 dev lo');
  const destinations = [
    { name: 'far', uri: '198.51.100.1' },
    { name: 'near', uri: '10.77.3.9' },
  ];
  const exporter = await startExporter(t, { ...HURRIED, destinations }, [`--udp.io=${io}`]);
  await hasCode(exporter, 'near', 1);
  await fails(exporter, 'far', 'unreachable');
  ip('route add 198.51.100.1/32 via 10.77.3.9');
  await hasCode(exporter, 'far', 1);
  ip('route del 198.51.100.1/32');
  await fails(exporter, 'far', 'unreachable');
  ip('route add prohibit 198.51.100.1/32');
  if (io === 'kernel') await fails(exporter, 'far', 'local', /^EACCES: /);
  ip('route del prohibit 198.51.100.1/32');
  ip('route add 198.51.100.1/32 via 10.77.3.9');
  await hasCode(exporter, 'far', 1);
}

async function testNoIpv6(t: TestContext, io: UdpIo): Promise<void> {
  const answering = dgram.createSocket('udp6');
  const port = await startAnswering(t, answering);
  const destinations = [{ name: 'six', uri: `[::1]:${port}` }];
  const exporter = await startExporter(t, { ...HURRIED, destinations }, [`--udp.io=${io}`]);
  await hasCode(exporter, 'six', 1);
  command('sysctl', '-q -w net.ipv6.conf.all.disable_ipv6=1');
  t.after(() => command('sysctl', '-q -w net.ipv6.conf.all.disable_ipv6=0'));
  // Without a socket of the kernel's own, our own routes are all that is known.
  if (io === 'kernel') await fails(exporter, 'six', 'local', /^EADDRNOTAVAIL: /);
  else await fails(exporter, 'six', 'unreachable');
  command('sysctl', '-q -w net.ipv6.conf.all.disable_ipv6=0');
  await hasCode(exporter, 'six', 1);
  const changes = await exporter.metric('sip_keepalive_state_changes_total');
  assert.equal(changes, io === 'kernel' ? 0 : 2);
}

async function testTooLong(t: TestContext, io: UdpIo): Promise<void> {
  const farEnd = await startFarEnd(t, 'udp', (_request, good) => [good]);
  const uri = `127.0.0.1:${farEnd.port}`;
  const long = Object.fromEntries(
    Array.from({ length: 70 }, (_, i) => [`X-${i}`, 'x'.repeat(1000)]),
  );
  const config = (headers: object) => ({
    ...HURRIED,
    destinations: [
      { name: 'd', uri, headers },
      { name: 'other', uri },
    ],
  });
  const exporter = await startExporter(t, config(long), [`--udp.io=${io}`]);
  await fails(exporter, 'd', 'local', /^EMSGSIZE: /);
  await hasCode(exporter, 'other', 1);
  assert.equal(await exporter.isAlive('d'), -1);
  writeFileSync(exporter.configFile, JSON.stringify(config({})));
  await exporter.post('/-/reload', '');
  await hasCode(exporter, 'd', 1);
}

async function testNoBuffers(t: TestContext, io: UdpIo): Promise<void> {
  const far = await startFarNetwork(t, 'far');
  far.connect('near', '10.77.4.1', '10.77.4.9');
  const destinations = [{ name: 'd', uri: '10.77.4.9' }];
  const exporter = await startExporter(t, { ...HURRIED, destinations }, [`--udp.io=${io}`]);
  await hasCode(exporter, 'd', 1);
  // A queue that has no room for a packet.
  command('tc', 'qdisc replace dev near root tbf rate 1kbit burst 10 limit 1');
  if (io === 'kernel') await fails(exporter, 'd', 'local', /^ENOBUFS: /);
  else await fails(exporter, 'd', 'timeout');
  command('tc', 'qdisc del dev near root');
  await hasCode(exporter, 'd', 1);
}

/** Destinations that answer during the storm. */
const UPS = 20;

async function testStorm(t: TestContext, io: UdpIo): Promise<void> {
  const farEnd = await startFarEnd(t, 'udp', (_request, good) => [good]);
  const closed = await freePort();
  const destinations = [
    ...Array.from({ length: UPS }, (_, i) => ({
      name: `up${i}`,
      uri: `sip:u${i}@127.0.0.1:${farEnd.port}`,
    })),
    { name: 'closed', uri: `127.0.0.1:${closed}` },
  ];
  const exporter = await startExporter(t, { ping_interval: 2, ping_timeout: 1.8, destinations }, [
    `--udp.io=${io}`,
  ]);
  await hasCode(exporter, 'closed', 2);
  for (let i = 0; i < UPS; i++) await hasCode(exporter, `up${i}`, 1);
  const [caller] = farEnd.callers;
  const port = Number(/;rport|:(\d+);branch/.exec(caller?.requests[0] ?? '')?.[1]);
  assert.ok(port > 0, caller?.requests[0]);
  const storm = new Worker(new URL('../support/icmp-storm.js', import.meta.url), {
    workerData: { port, forMs: 8_000 },
  });
  const [sent] = await once(storm, 'message');
  assert.ok(sent > 10_000, `${sent} errors`);
  const text = await exporter.get('/metrics');
  const failed = text
    .split('\n')
    .filter((line) => /^sip_keepalive_ping_failures_total.*"up/.test(line) && !line.endsWith(' 0'));
  assert.deepEqual(failed, [], 'a peer that answers gets no error of others');
  assert.equal(await exporter.isAlive('closed'), 2);
  // While errors are ignored, a closed port is one that does not answer.
  const { reason } = await exporter.destination('closed');
  assert.match(reason ?? '', io === 'kernel' ? /^(refused|timeout)$/ : /^refused$/);
  assert.equal(await exporter.metric('sip_keepalive_state_changes_total'), 0);
  assert.equal(exporter.crashes(), 0);
  const warnings = exporter.output().match(/"udp_error_storm"/g) ?? [];
  assert.equal(warnings.length, io === 'kernel' ? 1 : 0);
}

async function startAnswering(t: TestContext, socket: dgram.Socket): Promise<number> {
  const { buildOptionsResponse } = await import('../../src/pinger/sip/uas.js');
  socket.on('message', (request, from) => {
    socket.send(
      buildOptionsResponse(request, from, 'far') ?? '',
      from.port,
      from.address,
      () => {},
    );
  });
  t.after(() => socket.close());
  socket.bind(0);
  await once(socket, 'listening');
  return socket.address().port;
}

const TESTS: readonly (readonly [string, (t: TestContext, io: UdpIo) => Promise<void>])[] = [
  ['a capture shows the code point of dscp, in both families', testDscp],
  ['interface chooses between two networks with the same addresses', testInterface],
  ['an interface that goes down, or is removed, and comes back', testInterfaceGone],
  ['a route that is missing, and one that prohibits', testRoute],
  ['IPv6 that is switched off and on', testNoIpv6],
  ['a message that is longer than a datagram', testTooLong],
  ['a queue of the host without room', testNoBuffers],
  ['a storm of ICMP errors', testStorm],
];

/** The tests, inside a network namespace. */
async function testInside(suite: TestContext): Promise<void> {
  raiseLoopback();
  for (const [io, { skip }] of EACH_UDP_IO) {
    for (const [name, act] of TESTS) {
      await suite.test(`${name} (${io})`, { skip }, (t) => act(t, io));
    }
  }
}

test('UDP in a network namespace', needs('unshare', 'nsenter', 'ip', 'tc', 'sysctl'), async (t) => {
  if (IS_INSIDE) return testInside(t);
  const { skip } = mayMakeNamespaces();
  if (skip !== false) return t.skip(skip);
  const { status, output } = runInNamespace(fileURLToPath(import.meta.url));
  assert.equal(status, 0, output);
  assert.match(output, new RegExp(`^. pass ${1 + 2 * TESTS.length}$`, 'm'), output);
});
