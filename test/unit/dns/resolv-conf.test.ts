/** The system's list of DNS servers and search domains, and how names are completed by it. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { LocateResult } from '../../../src/pinger/dns/locate.js';
import { locateQuery } from '../../../src/pinger/dns/locate.js';
import { parseResolvConf } from '../../../src/pinger/dns/resolv-conf.js';
import { DnsResolver } from '../../../src/pinger/dns/resolver.js';
import {
  completedNames,
  locateFirst,
  type NameResult,
} from '../../../src/pinger/dns/search-list.js';
import { Files } from '../../../src/shared/file-contents.js';
import type { DnsSettings, ResolutionFailure } from '../../../src/shared/resolution.js';
import { parseUri } from '../../../src/shared/uri.js';
import { address, FLAGS, fakeDns, reply, type Script } from '../../support/dns-server.js';
import { FakeClock } from '../../support/fake-clock.js';
import { settings } from '../../support/settings.js';

const LOCAL = { address: '127.0.0.1', port: 53 };

for (const [what, text, wanted] of [
  ['an empty file', '', { servers: [LOCAL], search: [], ndots: 1 }],
  [
    'comments, unknown lines, what is no address, and a server that is there twice',
    '# nameserver 192.0.2.1\n; nameserver 192.0.2.2\nsortlist x\nnameserver example.com\nnameserver\n' +
      'nameserver 192.0.2.53 # ours\nnameserver 192.0.2.53\r\n  nameserver\t2001:DB8::53  \n',
    {
      servers: [
        { address: '192.0.2.53', port: 53 },
        { address: '2001:db8::53', port: 53 },
      ],
      search: [],
      ndots: 1,
    },
  ],
  [
    'a link-local server, with its zone',
    'nameserver fe80::1%eth0\n',
    { servers: [{ address: 'fe80::1%eth0', port: 53 }], search: [], ndots: 1 },
  ],
  [
    'that of a pod in Kubernetes',
    'search ns.svc.cluster.local svc.cluster.local cluster.local\nnameserver 127.0.0.1\noptions ndots:5',
    {
      servers: [LOCAL],
      search: ['ns.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
      ndots: 5,
    },
  ],
  [
    'that of a container in Docker',
    'nameserver 127.0.0.11\noptions edns0 trust-ad ndots:0\n',
    { servers: [{ address: '127.0.0.11', port: 53 }], search: [], ndots: 0 },
  ],
  [
    'domain and search, of which the last counts, in any case',
    'search a.test\ndomain Example.COM.\noptions ndots:99 timeout:1 attempts:9 rotate',
    { servers: [LOCAL], search: ['example.com'], ndots: 15 },
  ],
  ['the root as search list', 'search .\n', { servers: [LOCAL], search: [], ndots: 1 }],
  [
    'more servers than the C library asks',
    'nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n',
    {
      servers: ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((it) => ({ address: it, port: 53 })),
      search: [],
      ndots: 1,
    },
  ],
] as const) {
  test(`resolv.conf: ${what}`, () => assert.deepEqual(parseResolvConf(text), wanted));
}

test('a name with fewer dots than ndots is completed first; another is tried as written first', () => {
  const conf = { search: ['a.test', 'test'], ndots: 2 };
  assert.deepEqual(completedNames('pbx', conf), ['pbx.a.test', 'pbx.test', 'pbx']);
  assert.deepEqual(completedNames('pbx.b', conf), ['pbx.b.a.test', 'pbx.b.test', 'pbx.b']);
  assert.deepEqual(completedNames('pbx.b.c', conf), ['pbx.b.c', 'pbx.b.c.a.test', 'pbx.b.c.test']);
  assert.deepEqual(completedNames('pbx', { search: [], ndots: 5 }), ['pbx']);
  const long = 'x'.repeat(62);
  assert.deepEqual(completedNames([long, long, long, long].join('.'), conf).length, 1);
});

const failed = (reason: ResolutionFailure, name: string): LocateResult => ({
  ...{ kind: 'failed', reason, detail: `A of ${name}: ${reason}`, errors: [`error at ${name}`] },
});

/** The names that are tried, each with its failure. */
async function tried(
  failures: Readonly<Record<string, ResolutionFailure>>,
  isThere: string[] = [],
) {
  const queries: string[] = [];
  const result = await locateFirst(
    'pbx',
    Object.keys(failures),
    async (name): Promise<NameResult> => {
      queries.push(name);
      return {
        result: failed(failures[name] ?? 'nodata', name),
        hasRecords: isThere.includes(name),
      };
    },
  );
  const why = result.kind === 'failed' ? result.detail : result.kind;
  return { queries, why, errors: result.errors };
}

test('NXDOMAIN, nodata and SERVFAIL lead to the next name; a timeout does not', async () => {
  const { queries, why, errors } = await tried({
    'pbx.a': 'nxdomain',
    'pbx.b': 'nodata',
    pbx: 'nxdomain',
  });
  assert.deepEqual(queries, ['pbx.a', 'pbx.b', 'pbx']);
  assert.equal(why, 'A of pbx: nxdomain (also tried pbx.a, pbx.b)');
  assert.deepEqual(errors, ['error at pbx.a', 'error at pbx.b', 'error at pbx']);
  const servfail = await tried({ 'pbx.a': 'servfail', pbx: 'nxdomain' });
  assert.equal(servfail.why, 'A of pbx.a: servfail (also tried pbx)');
  for (const reason of ['timeout', 'refused', 'local'] as const) {
    const { queries: names, why: said } = await tried({ 'pbx.a': reason, pbx: 'nxdomain' });
    assert.deepEqual([names, said], [['pbx.a'], `A of pbx.a: ${reason}`]);
  }
});

test('missing names are not errors when another name exists; server failures are', async () => {
  const result = await locateFirst('pbx', ['pbx.a', 'pbx.b', 'pbx'], async (name) => {
    if (name === 'pbx.a') return { result: failed('nxdomain', name), hasRecords: false };
    if (name === 'pbx.b') return { result: failed('servfail', name), hasRecords: false };
    const expiresAtMs = 0;
    const found = {
      kind: 'located',
      locations: [],
      expiresAtMs,
      lookupError: undefined,
      errors: [],
    } as const;
    return { result: found, hasRecords: true };
  });
  assert.deepEqual([result.kind, result.errors], ['located', ['error at pbx.b']]);
});

test('after a name with unusable records, no other name is tried', async () => {
  const { queries } = await tried({ 'pbx.a': 'nodata', pbx: 'nodata' }, ['pbx.a']);
  assert.deepEqual(queries, ['pbx.a']);
});

/** A server that knows an SRV record of one name, and the address that it leads to. */
const cluster: Script = (query) => {
  if (query.type === 'SRV' && query.name === '_sip._udp.pbx.svc.test') {
    const data = { priority: 0, weight: 0, port: 5070, target: 'gw.svc.test' };
    return [reply(query, { answers: [{ type: 'SRV', name: query.name, ttl: 60, data }] })];
  }
  if (query.name === 'gw.svc.test' || query.name === 'carrier.example') {
    return [reply(query, query.type === 'A' ? { answers: [address(query.name)] } : {})];
  }
  return [reply(query, { flags: query.name.endsWith('svc.test') ? 0 : FLAGS.NXDOMAIN })];
};

const PATH = '/etc/resolv.conf';
const PING = settings({});

async function resolverOf(t: TestContext, changes: Partial<DnsSettings> = {}) {
  const dns = await fakeDns(t, cluster);
  const files = new Files();
  const resolver = new DnsResolver(
    new FakeClock(),
    files,
    {
      ...{ servers: [dns.label], resolvConf: PATH, search: [], timeoutMs: 2000 },
      ...{ minTtlMs: 5000, maxTtlMs: 300_000, hostsFile: '' },
      ...changes,
    },
    { setLookups() {}, recordLookupShed() {}, recordRecordsCut() {} },
  );
  const located = async (uri: string) => {
    const result = await resolver.locate(locateQuery(parseUri(uri), PING));
    if (result.kind === 'failed') return result.detail;
    return result.locations
      .map(({ transport, address: ip, port }) => `${transport} ${ip}:${port}`)
      .join();
  };
  return { dns, files, located };
}

test('a short name is located by its completed name, with SRV records', async (t) => {
  const { located } = await resolverOf(t, { search: ['ns.svc.test', 'svc.test'] });
  assert.equal(await located('sip:pbx'), 'udp 192.0.2.1:5070');
  assert.equal(await located('sip:carrier.example:5060'), 'udp 192.0.2.1:5060');
  assert.match(await located('sip:nobody'), /also tried nobody.ns.svc.test, nobody.svc.test/);
});

test('names of the hosts file and localhost are not completed', async (t) => {
  const { located, files, dns } = await resolverOf(t, { search: ['svc.test'], hostsFile: 'hosts' });
  files.set(new Map([['hosts', '192.0.2.7 pbx\n']]));
  assert.equal(await located('sip:pbx'), 'udp 192.0.2.7:5060');
  assert.equal(await located('sip:localhost'), 'udp 127.0.0.1:5060');
  assert.deepEqual(dns.queries, []);
});

test('changes of resolv.conf take effect: servers, search list and ndots', async (t) => {
  const { located, files } = await resolverOf(t, { servers: [] });
  // These interfaces do not exist, so the error names the servers and the queried names.
  const queryOf = async (text: string) => {
    files.set(new Map([[PATH, text]]));
    const why = await located('sip:pbx:5060');
    return / of (\S+): local, cannot query (\S+)/.exec(why)?.slice(1);
  };
  assert.deepEqual(await queryOf('nameserver fe80::1%no1'), ['pbx', '[fe80::1%no1]:53']);
  const searching = 'nameserver fe80::2%no2\nsearch a.test';
  assert.deepEqual(await queryOf(searching), ['pbx.a.test', '[fe80::2%no2]:53']);
  const absolute = `${searching}\noptions ndots:0`;
  assert.deepEqual(await queryOf(absolute), ['pbx', '[fe80::2%no2]:53']);
});

test('dns.servers replaces resolv.conf; dns.search applies, and a dot adds no domain', async (t) => {
  const { located, files } = await resolverOf(t);
  files.set(new Map([[PATH, 'nameserver 127.0.0.77\nsearch svc.test']]));
  assert.match(await located('sip:pbx'), /nxdomain/);
  const searching = await resolverOf(t, { search: ['.'] });
  assert.match(
    await searching.located('sip:pbx'),
    /^NAPTR, A and AAAA of pbx, .*: nxdomain, NXDOMAIN from \S+$/,
  );
});
