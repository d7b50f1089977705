/** What the kernel's UDP needs and does not get: each is done without, and said once. */

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { type Exporter, type Launch, MAIN, startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { compiled } from '../support/native.js';
import { freePort } from '../support/ports.js';
import { eventually, folder } from '../support/process.js';
import { needs } from '../support/tools.js';
import { KERNEL } from '../support/udp-io.js';

interface Line {
  readonly level: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

/** What the exporter logged of these events. */
function logged(exporter: Exporter, ...events: readonly string[]): readonly Line[] {
  return exporter
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): Line => JSON.parse(line))
    .filter(({ event }) => events.includes(event));
}

const UDP_WARNINGS = ['udp_io_unavailable', 'udp_option_refused', 'udp_socket_unavailable'];

/** An exporter with a destination that answers, and a closed port in each family. */
async function start(t: TestContext, settings: object, launch: Launch) {
  const farEnd = await startFarEnd(t, 'udp', (_request, good) => [good]);
  const [four, six] = [await freePort(), await freePort('::1')];
  const exporter = await startExporter(
    t,
    {
      ...{ ping_interval: 1, ping_timeout: 0.9, ...settings },
      destinations: [
        { name: 'up', uri: `127.0.0.1:${farEnd.port}` },
        { name: 'four', uri: `127.0.0.1:${four}` },
        { name: 'six', uri: `[::1]:${six}` },
      ],
    },
    [],
    launch,
  );
  const reason = (name: string, code: number) =>
    eventually(`${name} has the code ${code}`, async () => {
      const { reason, code: found } = await exporter.destination(name);
      return found === code && (reason ?? 'none');
    });
  return { exporter, reason };
}

/** Everything is right by way of `node:dgram`, and one line says what is lost. */
async function checkDgram(t: TestContext, launch: Launch, error: RegExp): Promise<void> {
  const { exporter, reason } = await start(t, {}, launch);
  assert.equal(await reason('up', 1), 'none');
  for (const name of ['four', 'six']) assert.equal(await reason(name, 2), 'refused');
  assert.equal(await exporter.metric('sip_keepalive_exporter_udp_io_info', { io: 'dgram' }), 1);
  const lines = logged(exporter, ...UDP_WARNINGS);
  assert.deepEqual(
    lines.map(({ level, event }) => [level, event]),
    [['warn', 'udp_io_unavailable']],
  );
  assert.match(String(lines[0]?.['error']), error);
  assert.match(String(lines[0]?.['msg']), /round-trip times include .* dscp and interface/);
  assert.equal(logged(exporter, 'udp_io')[0]?.['io'], 'dgram');
  assert.equal(exporter.crashes(), 0);
}

/** A copy of this build whose packages have no `koffi`, or this one. */
function withoutKoffi(t: TestContext, standIn?: string): Launch {
  const where = folder(t);
  const build = dirname(MAIN);
  const main = join(where, 'dist/src/main.js');
  cpSync(build, dirname(main), { recursive: true });
  const packages = join(where, 'node_modules');
  mkdirSync(packages);
  cpSync('package.json', join(where, 'package.json'));
  cpSync('page', join(where, 'page'), { recursive: true });
  for (const name of readdirSync('node_modules')) {
    if (name === 'koffi' || name === '@koromix' || name.startsWith('.')) continue;
    symlinkSync(join(process.cwd(), 'node_modules', name), join(packages, name));
  }
  if (standIn !== undefined) {
    mkdirSync(join(packages, 'koffi'));
    writeFileSync(join(packages, 'koffi/index.js'), standIn);
  }
  return { main };
}

describe('UDP goes by node:dgram, with right verdicts and one warning,', KERNEL, () => {
  test('when koffi is missing', async (t) => {
    await checkDgram(t, withoutKoffi(t), /koffi cannot be loaded: Cannot find module 'koffi'/);
  });

  test('when koffi loads and finds no libc', async (t) => {
    const standIn = "exports.load = () => { throw new Error('no such library'); };";
    await checkDgram(t, withoutKoffi(t, standIn), /libc cannot be used: no such library/);
  });

  test('when what koffi calls is not what libc does', async (t) => {
    const standIn = 'exports.load = () => ({ func: () => () => 0 }); exports.errno = () => 0;';
    await checkDgram(t, withoutKoffi(t, standIn), /libc cannot be used: clock_gettime gives/);
  });
});

const SO_BINDTODEVICE = 'setsockopt:1:25';
const SO_TIMESTAMPING = 'setsockopt:1:37';
const SO_RXQ_OVFL = 'setsockopt:1:40';
const IP_TOS = 'setsockopt:0:1';
const IPV6_TCLASS = 'setsockopt:41:67';
const IP_RECVERR = ['setsockopt:0:11', 'setsockopt:41:25'];
const AF_INET6 = 'socket:10';

describe('a kernel that refuses', { ...needs('cc'), concurrency: 2 }, () => {
  let refuse = '';
  const ends: (() => void)[] = [];
  before(() => {
    refuse = compiled({ after: (end: () => void) => ends.push(end) }, 'refuse');
  });
  after(() => {
    for (const end of ends) end();
  });

  const refusing = (error: string, ...rules: readonly string[]): Launch => ({
    by: [refuse, error, ...rules, '--'],
  });

  for (const [what, error, rules, text] of [
    ['SO_TIMESTAMPING', 'EPERM', [SO_TIMESTAMPING], /^SO_TIMESTAMPING: EPERM$/],
    ['SO_TIMESTAMPING', 'ENOPROTOOPT', [SO_TIMESTAMPING], /^SO_TIMESTAMPING: ENOPROTOOPT$/],
    ['recvmmsg', 'ENOSYS', ['recvmmsg'], /^libc cannot be used: recvmmsg: ENOSYS$/],
    ['sendmmsg', 'ENOSYS', ['sendmmsg'], /^libc cannot be used: sendmmsg: ENOSYS$/],
    [
      'everything that it can do without',
      'EPERM',
      [SO_TIMESTAMPING, ...IP_RECVERR, SO_RXQ_OVFL, SO_BINDTODEVICE],
      /^SO_TIMESTAMPING: EPERM$/,
    ],
  ] as const) {
    test(`${what} (${error}) is left to node:dgram`, KERNEL, async (t) => {
      await checkDgram(t, refusing(error, ...rules), text);
    });
  }

  for (const [what, error, rules, settings, closed, option, text] of [
    [
      'IP_RECVERR',
      'ENOPROTOOPT',
      IP_RECVERR,
      {},
      'timeout',
      'IP_RECVERR',
      /a closed port .* is a timeout/,
    ],
    [
      'SO_RXQ_OVFL',
      'EPERM',
      [SO_RXQ_OVFL],
      {},
      'refused',
      'SO_RXQ_OVFL',
      /udp_dropped_total stays 0/,
    ],
    [
      'IP_TOS',
      'EPERM',
      [IP_TOS, IPV6_TCLASS],
      { dscp: 46 },
      'refused',
      'IP_TOS',
      /dscp is not applied/,
    ],
  ] as const) {
    test(`${what} (${error}) is done without, and what is lost is said once`, KERNEL, async (t) => {
      const { exporter, reason } = await start(t, settings, refusing(error, ...rules));
      assert.equal(await reason('up', 1), 'none');
      for (const name of ['four', 'six']) assert.equal(await reason(name, 2), closed);
      assert.equal(
        await exporter.metric('sip_keepalive_exporter_udp_io_info', { io: 'kernel' }),
        1,
      );
      const lines = logged(exporter, ...UDP_WARNINGS);
      assert.deepEqual(
        lines.map((line) => [line.level, line.event, line['option'], line['error']]),
        [['warn', 'udp_option_refused', option, error]],
      );
      assert.match(String(lines[0]?.['msg']), text);
    });
  }

  test(
    'SO_BINDTODEVICE fails pings as local, never as down, and says so once',
    KERNEL,
    async (t) => {
      const launch: Launch = { ...refusing('EPERM', SO_BINDTODEVICE), until: '/-/healthy' };
      const { exporter } = await start(
        t,
        { interface: 'lo', ping_interval: 0.3, ping_timeout: 0.2 },
        launch,
      );
      for (const destination of ['up', 'four', 'six']) {
        const local = { destination, reason: 'local' };
        await eventually(`pings of ${destination} fail locally`, async () => {
          return ((await exporter.metric('sip_keepalive_ping_failures_total', local)) ?? 0) >= 3;
        });
        const { code, targets } = await exporter.destination(destination);
        assert.equal(code, -1);
        assert.equal(targets[0]?.detail, 'EPERM: binding to an interface takes CAP_NET_RAW');
      }
      const lines = logged(exporter, ...UDP_WARNINGS);
      assert.deepEqual(
        lines
          .map((line) => [line.event, line['family'], line['interface'], line['error']])
          .toSorted(),
        ['ip4', 'ip6'].map((family) => [
          ...['udp_socket_unavailable', family, 'lo', 'SO_BINDTODEVICE: EPERM'],
        ]),
      );
    },
  );

  for (const io of ['kernel', 'dgram'] as const) {
    test(
      `IPv6 fails its pings alone, as local (${io})`,
      io === 'kernel' ? KERNEL : {},
      async (t) => {
        const farEnd = await startFarEnd(t, 'udp', (_request, good) => [good]);
        const destinations = [
          { name: 'four', uri: `127.0.0.1:${farEnd.port}` },
          { name: 'six', uri: '[::1]:5060' },
        ];
        const config = { ping_interval: 0.5, ping_timeout: 0.4, destinations };
        const launch = refusing('EAFNOSUPPORT', AF_INET6);
        const exporter = await startExporter(t, config, [`--udp.io=${io}`], launch);
        await eventually('IPv4 is up', async () => (await exporter.isAlive('four')) === 1);
        await eventually('IPv6 fails locally', async () => {
          const { targets } = await exporter.destination('six');
          return targets[0]?.reason === 'local' && /^EAFNOSUPPORT/.test(targets[0].detail ?? '');
        });
        assert.equal(await exporter.isAlive('six'), -1);
        assert.equal(logged(exporter, 'udp_socket_unavailable').length, 1);
      },
    );
  }
});
