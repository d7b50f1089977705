import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readConfig } from '../../../src/config/config.js';
import { readFlags } from '../../../src/config/flags.js';
import { answerIn, postCall, type RpcCall } from '../../../src/discovery/kamailio-rpc/client.js';
import { KamailioRpc } from '../../../src/discovery/kamailio-rpc.js';
import { Parser } from '../../../src/discovery/parsing/parser.js';
import type { ReadResult } from '../../../src/discovery/reader.js';
import type { HttpReply, HttpRequest } from '../../../src/platform/http.js';
import { FakeClock } from '../../support/fake-clock.js';
import {
  dispatcherAnswer,
  errorAnswer,
  type ListedDestination,
  resultAnswer,
} from '../../support/kamailio-answers.js';

type Answer = string | Partial<HttpReply> | Error;

const never = new AbortController().signal;
const sourceOf = (change: Readonly<Record<string, unknown>>) => {
  const entry = { url: 'http://192.0.2.9:5060/RPC', ...change };
  const content = { discovery: { kamailio_rpc: [entry] } };
  const [source] = readConfig({ flags: readFlags([]), env: {}, version: '1', content }).sources;
  assert.ok(source?.kind === 'kamailio_rpc');
  return source;
};

/** A Kamailio with the current answers by method; another method is not found. */
function kamailio(
  answers: Readonly<Record<string, Answer>>,
  change: Readonly<Record<string, unknown>> = {},
) {
  let current = answers;
  let parses = 0;
  class CountingParser extends Parser {
    override parse(...job: Parameters<Parser['parse']>) {
      parses++;
      return super.parse(...job);
    }
  }
  const requests: HttpRequest[] = [];
  const request = async (_settings: unknown, sent: HttpRequest): Promise<HttpReply> => {
    requests.push(sent);
    const { method } = JSON.parse(sent.body ?? '');
    const answer = current[method] ?? {
      status: 500,
      body: Buffer.from(errorAnswer('Method Not Found')),
    };
    if (answer instanceof Error) throw answer;
    const reply = typeof answer === 'string' ? { body: Buffer.from(answer) } : answer;
    return {
      status: 200,
      contentType: 'application/json',
      location: '',
      body: Buffer.of(),
      ...reply,
    };
  };
  const settings = sourceOf(change);
  const reader = new KamailioRpc({
    settings,
    request,
    parser: new CountingParser(new FakeClock()),
  });
  return {
    ...{ reader, requests, settings, request },
    read: (next?: Readonly<Record<string, Answer>>) => {
      current = next ?? current;
      return reader.read(never);
    },
    parses: () => parses,
  };
}

const dispatcher = (sets: Readonly<Record<string, readonly ListedDestination[]>>) => ({
  'dispatcher.list': dispatcherAnswer(sets),
});
const namesOf = ({ found }: ReadResult) => found.map(({ entry }) => entry['name'] ?? entry['uri']);
const A = 'sip:192.0.2.1';
const B = 'sip:192.0.2.2';

describe('a running Kamailio', () => {
  test('is called by JSON-RPC 2.0, only for the lists that are read', async () => {
    const { read, requests, reader } = kamailio(dispatcher({ 1: [{ uri: A }] }));
    assert.deepEqual((await read()).errors, []);
    assert.deepEqual(requests, [
      {
        method: 'POST',
        headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
        body: '{"jsonrpc":"2.0","method":"dispatcher.list","id":1}',
        maxBytes: 64 << 20,
      },
    ]);
    assert.equal(reader.stamp(), undefined, 'only a call can tell what has changed');
  });

  test('lists a URI in several sets as one destination, with chosen attributes as labels', async () => {
    const attrs = 'duid=gw-a;Carrier=alpha;weight=50';
    const { read } = kamailio(
      dispatcher({ 1: [{ uri: A, attrs }], 2: [{ uri: `${A}:5060`, flags: 'IX', attrs }] }),
      { attributes: ['Carrier', 'none'] },
    );
    const { found, listings } = await read();
    assert.deepEqual(
      found.map(({ place, owner, entry }) => ({ place, owner, entry })),
      [
        {
          place: `dispatcher.list set 1 "${A}"`,
          owner: undefined,
          entry: { uri: A, labels: { setid: '1,2', duid: 'gw-a', carrier: 'alpha' } },
        },
      ],
    );
    const common = { found: 0, module: 'dispatcher', duid: 'gw-a' };
    assert.deepEqual(listings, [
      { ...common, setid: '1', uri: A, state: 'active', isProbed: true },
      { ...common, setid: '2', uri: `${A}:5060`, state: 'inactive', isProbed: false },
    ]);
  });

  test('lists destinations that are not monitored: disabled, never pinged, without a valid URI', async () => {
    const { read } = kamailio(
      dispatcher({
        1: [
          { uri: A, flags: 'DX' },
          { uri: B, flags: 'AN' },
          { uri: 'trunk', flags: 'TX' },
        ],
      }),
    );
    const { found, listings, remarks } = await read();
    assert.deepEqual(found, []);
    assert.deepEqual(
      listings?.map(({ found: index, state }) => [index, state]),
      [
        [undefined, 'disabled'],
        [undefined, 'active'],
        [undefined, 'trying'],
      ],
    );
    assert.deepEqual(
      remarks.map(({ kind, reason }) => [kind, reason.replace(/,.*/, '')]),
      [
        ['skipped', 'disabled in Kamailio (flag D)'],
        ['skipped', 'not to be pinged (flag N)'],
        ['skipped', 'expected a SIP URI with its scheme'],
      ],
    );
  });

  test('has pings sent as from its file: socket, proxy and From', async () => {
    const attrs = 'socket=tcp:127.0.0.1:5070;obproxy=sip:192.0.2.8;ping_from=sip:me@x.example';
    const { read } = kamailio(dispatcher({ 1: [{ uri: A, attrs }] }));
    const { found } = await read();
    assert.deepEqual(found[0]?.entry, {
      uri: A,
      name: `${A} via tcp:127.0.0.1 via sip:192.0.2.8 from sip:me@x.example`,
      labels: { setid: '1' },
      ...{ source_address: '127.0.0.1', transport: 'tcp' },
      ...{ route: 'sip:192.0.2.8', ping_from: 'sip:me@x.example' },
    });
  });

  test('of another version is read as far as the URIs are there', async () => {
    const { read } = kamailio({
      'dispatcher.list': resultAnswer([
        { uri: A, ATTRS: { DUID: 'a', SOCKET: 'tcp:127.0.0.1:1' } },
        { id: 7, list: [{ Uri: B, Flags: 'TP', attrs: { body: 'duid=b' } }] },
      ]),
    });
    const { found, listings, remarks } = await read();
    assert.deepEqual(
      found.map(({ entry }) => [entry['uri'], entry['transport'], entry['labels']]),
      [
        [A, 'tcp', { duid: 'a' }],
        [B, undefined, { setid: '7', duid: 'b' }],
      ],
    );
    assert.deepEqual(listings, [
      {
        ...{ found: 1, module: 'dispatcher', setid: '7', uri: B, duid: 'b' },
        ...{ state: 'trying', isProbed: true },
      },
    ]);
    assert.match(remarks[0]?.reason ?? '', /^expected FLAGS such as AP, got "": its state is/);
  });

  test('without the number of a set has destinations whose state is unknown', async () => {
    const { read } = kamailio({ 'dispatcher.list': resultAnswer([{ URI: A, FLAGS: 'AP' }]) });
    const { found, listings, remarks } = await read();
    assert.deepEqual([found.length, listings], [1, []]);
    assert.match(remarks[0]?.reason ?? '', /^expected a set with a number, got ""/);
  });
});

describe('the three lists of a Kamailio', () => {
  const all = { keepalive: true, uac: true };
  const registration = {
    ...{ l_uuid: 'r1', r_domain: 'registrar.example', auth_proxy: `${B}:5060`, flags: 4 },
    ...{ diff_expires: 10, auth_password: 'S3CRET', socket: null },
  };
  const answers = {
    ...dispatcher({ 1: [{ uri: A }, { uri: B }] }),
    'keepalive.list': resultAnswer({ uri: A, state: 1 }),
    'uac.reg_dump': resultAnswer([
      registration,
      { ...registration, l_uuid: 'r2', auth_proxy: 'none', diff_expires: 0 },
      { ...registration, l_uuid: 'r3', auth_proxy: ' ', flags: 5 },
      { ...registration, l_uuid: 'r4', flags: 18, socket: 'tcp:127.0.0.1:5060' },
    ]),
  };

  test('have a destination of several lists once', async () => {
    const result = await kamailio(answers, all).read();
    const names = [A, B, 'sip:registrar.example', `${B} via tcp:127.0.0.1`];
    assert.deepEqual(namesOf(result), names);
    assert.deepEqual(
      result.listings?.map(({ found, module, duid, state, isRegistered }) => {
        return [names[found ?? -1], module, duid, state, isRegistered];
      }),
      [
        [A, 'dispatcher', '', 'active', undefined],
        [B, 'dispatcher', '', 'active', undefined],
        [B, 'uac', 'r1', 'active', true],
        ['sip:registrar.example', 'uac', 'r2', 'inactive', false],
        ['sip:registrar.example', 'uac', 'r3', 'disabled', true],
        [`${B} via tcp:127.0.0.1`, 'uac', 'r4', 'inactive', false],
      ],
    );
  });

  test('do not pass on the passwords of registrations', async () => {
    const { found, listings, remarks } = await kamailio(answers, all).read();
    const shown = JSON.stringify([
      found.map((one) => [...(one.attributes ?? [])]),
      listings,
      remarks,
    ]);
    assert.ok(shown.includes('r_domain') && !shown.includes('S3CRET'));
  });

  test('say that Kamailio shows only one of several destinations of keepalive', async () => {
    const { remarks } = await kamailio(answers, all).read();
    assert.deepEqual(
      remarks.map(({ kind, place }) => [kind, place]),
      [['adjusted', 'keepalive.list']],
    );
    const every = resultAnswer([{ uri: A }, { uri: B }]);
    const fixed = kamailio({ 'keepalive.list': every }, { keepalive: true, dispatcher: false });
    assert.deepEqual((await fixed.read()).remarks, []);
  });

  test('keep their last valid findings when their module is missing', async () => {
    const { read } = kamailio(answers, all);
    const first = await read();
    const others = { ...answers, 'keepalive.list': errorAnswer('Method Not Found') };
    const second = await read({
      ...others,
      ...dispatcher({ 1: [{ uri: A, flags: 'IP' }, { uri: B }] }),
      'uac.reg_dump': new Error('connect ECONNREFUSED'),
    });
    assert.deepEqual(namesOf(second), namesOf(first));
    assert.equal(second.listings?.[0]?.state, 'inactive');
    assert.deepEqual(second.listedModules, ['dispatcher']);
    assert.deepEqual([...new Set(second.listings?.map(({ module }) => module))], ['dispatcher']);
    assert.deepEqual(second.errors, [
      'uac.reg_dump: expected a response, got connect ECONNREFUSED',
      'keepalive.list: expected a result, got the error "Method Not Found"',
    ]);
  });

  test('have no destinations without an error where none need to exist', async () => {
    const none = { 'keepalive.list': resultAnswer({}), 'uac.reg_dump': resultAnswer([]) };
    const result = await kamailio(none, { ...all, dispatcher: false }).read();
    const empty = { found: [], remarks: [], listings: [], listedModules: ['uac'], errors: [] };
    assert.deepEqual(result, empty);
  });

  test('have a registration without flags as a destination', async () => {
    const dump = resultAnswer([{ r_domain: 'registrar.example' }]);
    const only = { uac: true, dispatcher: false };
    const { found, listings, remarks } = await kamailio({ 'uac.reg_dump': dump }, only).read();
    assert.deepEqual([found.length, listings], [1, []]);
    assert.match(remarks[0]?.reason ?? '', /^expected flags as a number, got undefined/);
  });
});

describe('what has not changed', () => {
  const sets = (flags: string, count = 2) => ({
    1: Array.from({ length: count }, (_, i) => ({
      ...{ uri: `sip:h${i}.example`, flags, attrs: `duid=gw${i}` },
    })),
  });

  test('is not parsed again, whether it is valid or not', async () => {
    const { read, parses } = kamailio(dispatcher(sets('AP')));
    const first = await read();
    assert.equal((await read()).found, first.found);
    assert.equal(parses(), 1);
    const invalid = { 'dispatcher.list': '<html>' };
    const errors = [await read(invalid), await read(invalid)].map((result) => result.errors);
    assert.equal(parses(), 2);
    assert.deepEqual(errors[0], errors[1]);
  });

  for (const [what, count] of [
    ['a short list', 2],
    ['a long list, which a separate thread parses', 2_000],
  ] as const) {
    test(`are the destinations of ${what} with other states: they stay the same objects`, async () => {
      const { read } = kamailio(dispatcher(sets('AP', count)));
      const first = await read();
      const second = await read(dispatcher(sets('IP', count)));
      assert.equal(second.found, first.found);
      assert.equal(second.remarks, first.remarks);
      assert.equal(second.listings?.length, count);
      assert.ok(
        second.listings.every(
          ({ state }, i) => state === 'inactive' && first.listings?.[i]?.state === 'active',
        ),
      );
      const third = await read(dispatcher(sets('AP', count - 1)));
      assert.equal(third.found.length, count - 1);
    });
  }
});

describe('a call', () => {
  const answerTo = async ({ request, settings }: ReturnType<typeof kamailio>, sent: RpcCall) => {
    const reply = await postCall(request, settings.http, sent, never);
    return 'problem' in reply ? reply : answerIn(reply, sent.method);
  };
  const call = async (answer: Answer) => {
    const params = ['ip', 1, 'sip:192.0.2.1'];
    const sent = { method: 'dispatcher.set_state', params };
    return answerTo(kamailio({ 'dispatcher.set_state': answer }), sent);
  };

  test('sends its parameters and returns the result', async () => {
    const one = kamailio({ 'core.version': resultAnswer('kamailio') });
    const sent = { method: 'core.version', params: ['a', 1] };
    assert.deepEqual(await answerTo(one, sent), { result: 'kamailio' });
    assert.match(one.requests[0]?.body ?? '', /"params":\["a",1\]/);
  });

  for (const [what, answer, problem] of [
    [
      'an error',
      errorAnswer('State Update Failed'),
      'a result, got the error "State Update Failed"',
    ],
    [
      'an error with its status',
      { status: 500, body: Buffer.from(errorAnswer('Method Not Found')) },
      'a result, got the error "Method Not Found"',
    ],
    ['an error without a text', '{"error":{}}', 'a result, got the error "no message"'],
    [
      'a web page',
      { contentType: 'text/html', body: Buffer.from('<html>') },
      'a JSON-RPC response, got a text that is not JSON (Content-Type "text/html")',
    ],
    ['a status without JSON', { status: 403, contentType: 'text/html' }, 'status 200, got 403'],
    ['a status with JSON', { status: 503, body: Buffer.from('{}') }, 'status 200, got 503'],
    [
      'half a response',
      '{"jsonrpc":"2.0","resu',
      'a JSON-RPC response, got a text that is not JSON (Content-Type "application/json")',
    ],
    ['other JSON', '{"status":"success"}', 'a JSON-RPC response, got a mapping'],
    ['a list', '[]', 'a JSON-RPC response, got a list'],
    [
      'no response',
      new Error('no response within 10 s'),
      'a response, got no response within 10 s',
    ],
    [
      '100 MB',
      new Error('an answer of more than 67108864 bytes'),
      'a response, got an answer of more than 67108864 bytes',
    ],
  ] as const) {
    test(`that is answered with ${what} has a problem`, async () => {
      assert.deepEqual(await call(answer), {
        problem: `dispatcher.set_state: expected ${problem}`,
      });
    });
  }
});
