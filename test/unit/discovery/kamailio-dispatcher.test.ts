import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { aliveCodesOf } from '../../../src/discovery/kamailio/reply-codes.js';
import { readKamailioCfg } from '../../../src/discovery/kamailio-cfg.js';
import { parseStatusCodes } from '../../../src/shared/status-codes.js';
import { isLinear } from '../../support/cost.js';

const CORPUS = resolve('test/corpus/kamailio');
const LOAD = 'loadmodule "dispatcher.so"';
const LIST = '1 sip:192.0.2.1\n';
/** As long as these are set, what Kamailio pings is what is monitored. */
const AS_PINGED = 'ds_ping_interval 10\nds_probing_mode 1';

const isLocal = (address: string) => address === '127.0.0.1' || address === '::1';
const read = (files: Readonly<Record<string, string>>, path = '/etc/k/k.cfg') =>
  readKamailioCfg(
    path,
    (file) => {
      const text = files[file];
      if (text === undefined) throw new Error('there is no such file');
      return Buffer.from(text);
    },
    isLocal,
  );
/** Statements from lines such as `ds_ping_interval 10`. */
const params = (lines: string) =>
  lines.replace(/^(\w+) (.*)$/gm, 'modparam("dispatcher", "$1", $2)');
/** Reads a configuration with these parameters and this list. */
const withList = (lines: string, list = LIST) =>
  read({
    '/etc/k/k.cfg': `${LOAD}\n${params(`list_file "/l"\n${lines}`)}\n`,
    '/l': list,
  });
const entriesOf = ({ found }: ReturnType<typeof read>) => found.map(({ entry }) => entry);
const urisOf = (reading: ReturnType<typeof read>) => entriesOf(reading).map(({ uri }) => uri);
const textsOf = ({ remarks }: ReturnType<typeof read>) =>
  remarks.map(({ kind, place, reason }) => `${kind} ${place} ${reason}`);

test('one file gives the destinations of both modules, with the settings that Kamailio has for them', () => {
  const { found, remarks, errors, files } = readKamailioCfg(
    `${CORPUS}/dispatcher.cfg`,
    (path) => readFileSync(path),
    isLocal,
  );
  const ofDispatcher = {
    ...{ ping_interval: 15, method: 'INFO', alive_codes: '2xx,403,3xx', fall: 3, rise: 2 },
  };
  const ping_from = 'sip:prober@example.com';
  assert.deepEqual(
    found.map(({ place, owner, entry }) => [place.replace(`${CORPUS}/`, ''), owner, entry]),
    [
      [
        'dispatcher.cfg:25',
        undefined,
        { uri: 'sip:192.0.2.9', ping_interval: 20, delete_counter: 9 },
      ],
      [
        ...['gateways.list:2', undefined],
        {
          ...{ uri: 'sip:192.0.2.1', labels: { setid: '1', duid: 'carrier-a' }, delete_counter: 9 },
          ...{ ...ofDispatcher, ping_from },
        },
      ],
      [
        ...['gateways.list:3', undefined],
        {
          ...{ uri: 'sip:192.0.2.2:5070', labels: { setid: '1', duid: 'carrier-b' } },
          ...{ ...ofDispatcher, ping_from },
        },
      ],
      [
        ...['gateways.list:4', undefined],
        {
          ...{ uri: 'sip:192.0.2.2:5070;transport=tcp', labels: { setid: '2' } },
          name: 'sip:192.0.2.2:5070;transport=tcp from sip:own@example.com',
          ...{ ...ofDispatcher, ping_from: 'sip:own@example.com' },
        },
      ],
    ],
  );
  assert.deepEqual(
    remarks.map(({ kind, place }) => [kind, place]),
    [
      ['skipped', `${CORPUS}/gateways.list:5`],
      ['duplicate', `${CORPUS}/gateways.list:2`],
    ],
  );
  assert.deepEqual([errors, files.at(-1)], [[], `${CORPUS}/gateways.list`]);
});

test('each parameter that cannot be carried over is reported with file and line', () => {
  const reading = readKamailioCfg(
    `${CORPUS}/dispatcher-faults.cfg`,
    (path) => readFileSync(path),
    isLocal,
  );
  const rows = textsOf(reading).map((line) => line.replace(/\S*\/dispatcher-/, ''));
  for (const wanted of [
    /^adjusted faults\.cfg:3 list_file: expected a string, got 5/,
    /^adjusted faults\.cfg:5 ds_ping_interval: 5 is used; Kamailio itself rejects/,
    /^adjusted faults\.cfg:6 ds_ping_interval: expected a whole number from 0 to 86400, got -1/,
    /^adjusted faults\.cfg:7 ds_ping_from: expected a SIP URI/,
    /^adjusted faults\.cfg:8 ds_ping_method: expected a method such as OPTIONS .*, got "INVITE"/,
    /^adjusted faults\.cfg:9 ds_ping_reply_codes: class=4: here a timeout is a failure/,
    /^adjusted faults\.cfg:9 ds_ping_reply_codes: .*, got "code=99"/,
    /^adjusted faults\.cfg:9 ds_ping_reply_codes: expected final responses, got "class=1"/,
    /^adjusted faults\.cfg:9 ds_ping_reply_codes: .*, got "x"/,
    /^adjusted faults\.cfg:10 ds_probing_threshold: expected a whole number from 1/,
    /^adjusted faults\.cfg:11 ds_inactive_threshold: only Kamailio knows the value of SECRET/,
    /^adjusted faults\.cfg:12 ds_probing_mode is 2, so Kamailio pings only destinations/,
    /^adjusted faults\.cfg:13 ds_ping_fr_timer: 5 s is not used as ping_timeout/,
    /^adjusted faults\.cfg:14 ds_default_sockname=public: only Kamailio knows named sockets/,
    /^adjusted faults\.cfg:16 outbound_proxy: expected a SIP URI/,
    /^adjusted faults\.cfg:17 ds_ping_unheard_of: not a known parameter/,
    /^skipped faults\.cfg:21 modparam within braces/,
    /^skipped \S*gateways\.list:5 sip:192\.0\.2\.3: disabled/,
  ]) {
    assert.equal(
      rows.filter((row) => wanted.test(row)).length,
      1,
      `${wanted} in\n${rows.join('\n')}`,
    );
  }
  assert.equal(rows.length, 18);
  assert.deepEqual(
    entriesOf(reading).map((entry) => [entry['alive_codes'], entry['ping_interval']]),
    Array.from({ length: 3 }, () => ['2xx,4xx,403', 5]),
  );
});

describe('the list', () => {
  test('is the default one when the module is loaded and none is named', () => {
    const list = '/etc/kamailio/dispatcher.list';
    const reading = read({ '/etc/k/k.cfg': LOAD, [list]: LIST });
    assert.deepEqual(urisOf(reading), ['sip:192.0.2.1']);
    assert.deepEqual(reading.files, ['/etc/k/k.cfg', list]);
  });

  for (const [statement, isLoaded] of [
    ['loadmodule "dispatcher"', true],
    ['loadmodule "/usr/lib/kamailio/modules/dispatcher.so"', true],
    ["loadmodulex 'dispatcher.so'", true],
    ['loadmodule("dispatcher.so")', true],
    ['#!define D "dispatcher.so"\nloadmodule D', true],
    ['modparam("dispatcher", "ds_ping_interval", 5)', true],
    ['loadmodule "Dispatcher.so"', false],
    ['loadmodule "mydispatcher.so"', false],
    ['loadmodule dispatcher', false],
    ['#!ifdef OFF\nloadmodule "dispatcher.so"\n#!endif', false],
    ['modparam("dispatcher", "xavp_dst", "_x_")', false],
    ['modparam("keepalive|dispatcher", "ds_ping_interval", 5)', false],
  ] as const) {
    test(`is ${isLoaded ? '' : 'not '}read after ${statement}`, () => {
      const reading = read({ '/etc/k/k.cfg': statement, '/etc/kamailio/dispatcher.list': LIST });
      assert.deepEqual(urisOf(reading), isLoaded ? ['sip:192.0.2.1'] : []);
    });
  }

  test('with a relative name is searched in /, where Kamailio runs, then beside the configuration', () => {
    const cfg = `${LOAD}\n${params('list_file "sub/l"')}`;
    const beside = read({ '/etc/k/k.cfg': cfg, '/etc/k/sub/l': LIST });
    assert.deepEqual(urisOf(beside), ['sip:192.0.2.1']);
    assert.deepEqual(beside.files, ['/etc/k/k.cfg', '/sub/l', '/etc/k/sub/l']);
    const inRoot = read({ '/etc/k/k.cfg': cfg, '/sub/l': '1 sip:192.0.2.2', '/etc/k/sub/l': LIST });
    assert.deepEqual(urisOf(inRoot), ['sip:192.0.2.2']);
    assert.deepEqual(inRoot.files, ['/etc/k/k.cfg', '/sub/l']);
  });

  test('that is named last is read', () => {
    const cfg = `${LOAD}\n${params('list_file "/a"\nlist_file "/b"')}`;
    assert.deepEqual(urisOf(read({ '/etc/k/k.cfg': cfg, '/b': LIST })), ['sip:192.0.2.1']);
  });

  test('that cannot be read is an error that names it and its statement; keepalive is read', () => {
    const cfg = `${LOAD}\n${params('list_file "/none"')}\nmodparam("keepalive", "destination", "192.0.2.9")`;
    const reading = read({ '/etc/k/k.cfg': cfg });
    const wanted =
      '/none: expected a readable file, got there is no such file (list_file of dispatcher, /etc/k/k.cfg:2)';
    assert.deepEqual([reading.errors, urisOf(reading)], [[wanted], ['sip:192.0.2.9']]);
  });

  test('with too many entries is an error, and nothing of it is used', () => {
    const reading = withList('', 'x 1\n'.repeat(140_000));
    assert.deepEqual(reading.found, []);
    assert.match(reading.errors[0] ?? '', /^\/l: expected at most 131072 entries/);
  });

  test('has its own places in remarks, and lines that are not UTF-8 are reported', () => {
    const reading = readKamailioCfg(
      '/k',
      (path) =>
        Buffer.from(
          path === '/k'
            ? `${LOAD}\n${params(`list_file "/l"\n${AS_PINGED}`)}`
            : '1 sip:192.0.2.1 0 0 duid=caf\xe9\n5\n',
          'latin1',
        ),
      isLocal,
    );
    assert.deepEqual(
      reading.remarks.map(({ kind, place }) => [kind, place]),
      [
        ['adjusted', '/l:1'],
        ['skipped', '/l:2'],
      ],
    );
    assert.deepEqual(entriesOf(reading)[0]?.['labels'], { setid: '1', duid: 'café' });
  });
});

describe('destinations in a database', () => {
  for (const url of ['"mysql://u:p@db/kamailio"', 'DB_URL', '""']) {
    test(`are reported for db_url ${url}, and the list is not read, as in Kamailio`, () => {
      const defines = '#!defenv DB_URL';
      const reading = read({ '/etc/k/k.cfg': `${defines}\n${LOAD}\n${params(`db_url ${url}`)}` });
      assert.deepEqual(textsOf(reading), [
        'skipped /etc/k/k.cfg:3 db_url: the destinations are in a database, which is not read: use discovery.kamailio_rpc',
        'empty /etc/k/k.cfg neither keepalive nor dispatcher has a destination that can be monitored',
      ]);
      assert.deepEqual([reading.errors, reading.files], [[], ['/etc/k/k.cfg']]);
    });
  }
});

describe('settings', () => {
  for (const [lines, setting, value] of [
    ['ds_ping_interval 10', 'ping_interval', 10],
    ['ds_ping_interval 0', 'ping_interval', undefined],
    ['ds_ping_from "sip:p@Example.com"', 'ping_from', 'sip:p@example.com'],
    ['ds_ping_method "info"', 'method', 'INFO'],
    ['ds_ping_method ""', 'method', undefined],
    ['ds_ping_method "ACK"', 'method', undefined],
    ['ds_ping_reply_codes "class=3;code=488"', 'alive_codes', '2xx,3xx,488'],
    ['ds_ping_reply_codes "CODE=\'403\'; class=2 ;"', 'alive_codes', '2xx,403'],
    ['ds_ping_reply_codes ""', 'alive_codes', '2xx'],
    ['ds_probing_threshold 3', 'fall', 3],
    ['ds_inactive_threshold 2', 'rise', 2],
    ['ds_ping_fr_timer 80', 'ping_timeout', 5],
    ['ds_ping_fr_timeout 10', 'ping_timeout', 0.625],
    ['ds_ping_fr_timer 0', 'ping_timeout', undefined],
    ['ds_ping_interval 10\nds_ping_fr_timer 160', 'ping_timeout', undefined],
    ['outbound_proxy "sip:proxy.example;lr"', 'route', 'sip:proxy.example;lr'],
    ['ds_default_socket "udp:127.0.0.1:5060"', 'source_address', '127.0.0.1'],
    ['ds_default_socket "tcp:127.0.0.1:5060"', 'transport', 'tcp'],
    ['ds_default_socket "udp:192.0.2.99:5060"', 'source_address', undefined],
    ['ds_default_socket "udp:[::1]:5060"', 'source_address', undefined],
  ] as const) {
    test(`${lines.replace('\n', ', ')} is ${setting} ${value ?? 'not set'}`, () => {
      assert.equal(entriesOf(withList(lines))[0]?.[setting], value);
    });
  }

  test('of Kamailio that hold without any parameter are those of the exporter', () => {
    const labels = { setid: '1' };
    assert.deepEqual(entriesOf(withList('')), [{ uri: 'sip:192.0.2.1', labels }]);
  });

  test('of a line override those of the module, and only they are in the name', () => {
    const lines = [
      ...['ds_ping_from "sip:d@example.com"', 'outbound_proxy "sip:192.0.2.8"'],
      ...['ds_default_socket "tcp:127.0.0.1:5060"', AS_PINGED],
    ].join('\n');
    const own = 'ping_from=sip:own@example.com;obproxy=sip:192.0.2.7;socket=udp:127.0.0.1:5070';
    const reading = withList(lines, `1 sip:192.0.2.1\n1 sip:192.0.2.2 0 0 ${own}\n`);
    const [first, second] = entriesOf(reading);
    assert.deepEqual(first, {
      ...{ uri: 'sip:192.0.2.1', labels: { setid: '1' }, ping_from: 'sip:d@example.com' },
      ...{ route: 'sip:192.0.2.8', ping_interval: 10, source_address: '127.0.0.1' },
      transport: 'tcp',
    });
    assert.deepEqual(second, {
      ...{ uri: 'sip:192.0.2.2', labels: { setid: '1' }, ping_from: 'sip:own@example.com' },
      name: 'sip:192.0.2.2 via udp:127.0.0.1 via sip:192.0.2.7 from sip:own@example.com',
      ...{ route: 'sip:192.0.2.7', ping_interval: 10, source_address: '127.0.0.1' },
      transport: 'udp',
    });
    assert.deepEqual(reading.remarks, []);
  });

  test('a line with a named socket does not use the default socket', () => {
    const lines = `ds_default_socket "tcp:127.0.0.1:5060"\n${AS_PINGED}`;
    const reading = withList(lines, '1 sip:192.0.2.1 0 0 sockname=public\n');
    assert.equal(entriesOf(reading)[0]?.['source_address'], undefined);
    assert.match(textsOf(reading).join(), /^adjusted \/l:1 sockname=public: only Kamailio knows/);
  });

  test('a default socket of another family is reported for the lines that it cannot reach', () => {
    const lines = `ds_default_socket "udp:127.0.0.1:5060"\n${AS_PINGED}`;
    const reading = withList(lines, '1 sip:192.0.2.1\n1 sip:[2001:db8::1]\n');
    const sources = entriesOf(reading).map((entry) => entry['source_address']);
    assert.deepEqual(sources, ['127.0.0.1', undefined]);
    assert.match(
      textsOf(reading).join(),
      /^adjusted \/l:2 ds_default_socket=\S+: its address family/,
    );
  });

  test('a default socket of another machine is reported once, whatever the number of lines', () => {
    const lines = `ds_default_socket "tls:192.0.2.99:5061"\n${AS_PINGED}`;
    const reading = withList(lines, '1 sip:192.0.2.1\n1 sip:192.0.2.2\n');
    assert.deepEqual(textsOf(reading), [
      'adjusted /etc/k/k.cfg:3 ds_default_socket=tls:192.0.2.99:5061: not an address of this machine: the routing table chooses the source address',
    ]);
    const transports = entriesOf(reading).map((entry) => entry['transport']);
    assert.deepEqual(transports, ['tls', 'tls']);
  });

  test('ds_ping_socket is preferred to a default name, and that to a default socket', () => {
    const socket = 'ds_default_socket "udp:127.0.0.1:5060"';
    const named = withList(`ds_default_sockname "a"\n${socket}\n${AS_PINGED}`);
    assert.equal(entriesOf(named)[0]?.['source_address'], undefined);
    const unnamed = withList(`ds_default_sockname ""\n${socket}\n${AS_PINGED}`);
    assert.equal(entriesOf(unnamed)[0]?.['source_address'], '127.0.0.1');
    const ofPings = withList(`ds_ping_socket "tcp:127.0.0.1"\nds_default_sockname "a"\n${socket}`);
    assert.equal(entriesOf(ofPings)[0]?.['transport'], 'tcp');
  });
});

describe('what Kamailio does not ping', () => {
  for (const [lines, place, wanted] of [
    ['', 1, 'ds_ping_interval is 0, so Kamailio pings none of its list'],
    ['ds_ping_interval 0', 3, 'ds_ping_interval is 0, so Kamailio pings none of its list'],
    ['ds_ping_interval 10', 1, 'ds_probing_mode is 0, so Kamailio pings only destinations'],
    [
      'ds_ping_interval 10\nds_probing_mode 3',
      ...([4, 'ds_probing_mode is 3, so Kamailio pings only destinations'] as const),
    ],
  ] as const) {
    test(`is pinged all the same and reported: ${lines || 'no parameters'}`, () => {
      const reading = withList(lines);
      assert.deepEqual(urisOf(reading), ['sip:192.0.2.1']);
      assert.ok(
        textsOf(reading)[0]?.startsWith(`adjusted /etc/k/k.cfg:${place} ${wanted}`),
        textsOf(reading).join(),
      );
      assert.equal(reading.remarks.length, 1);
    });
  }
});

test('a file without any destination says so, whatever the reason', () => {
  for (const text of ['', '# nothing\n', 'modparam("keepalive", "ping_interval", 5)\n']) {
    const last = textsOf(read({ '/etc/k/k.cfg': text })).at(-1);
    assert.match(last ?? '', /^empty \/etc\/k\/k\.cfg neither keepalive nor dispatcher/);
  }
  assert.match(textsOf(withList(AS_PINGED, '# none\n')).join(), /^empty /);
});

describe('whatever the reply codes', () => {
  const item = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.constantFrom('code=', 'class=', '4', '08', '403', '699', '"', "'", ';', ' ', ',', '='),
  );

  test('the result is a valid setting, and each part is used or reported', () => {
    const isRead = (items: readonly string[]) => {
      const remarks: string[] = [];
      const codes = aliveCodesOf(items.join(''), (_kind, reason) => remarks.push(reason));
      assert.ok(parseStatusCodes(codes).has(200));
      assert.ok(remarks.every((reason) => reason.length < 600));
    };
    fc.assert(fc.property(fc.array(item, { maxLength: 12 }), isRead), { numRuns: 2000 });
  });

  test('they are read in linear time', () => {
    const read = (size: number) => aliveCodesOf('code=403;'.repeat(size / 9), () => {});
    assert.ok(isLinear(20_000, read));
  });
});
