import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { UdpPort } from '../../../src/pinger/transport/udp-medium.js';
import { UdpPorts } from '../../../src/pinger/transport/udp-ports.js';
import type { LogLine } from '../../../src/shared/protocol.js';

/** A fake medium, which can be made to fail. */
function setUp(sourcePort = 0) {
  const open = new Set<number>();
  const logged: LogLine[] = [];
  const medium = { error: undefined as Error | undefined, opened: 0 };
  const ports = new UdpPorts<UdpPort>(
    { sourceAddress: '', sourcePort, interfaceName: 'eth0', log: (line) => logged.push(line) },
    {
      open: (family) => {
        if (medium.error !== undefined) throw medium.error;
        const port = ++medium.opened;
        open.add(port);
        return {
          ...{ port, family, users: 0, localAddressTowards: () => undefined },
          close: () => open.delete(port),
        };
      },
    },
  );
  const common = (family: 4 | 6 = 4) => ports.common(family) ?? assert.fail('no common port');
  const once = (family: 4 | 6 = 4) => ports.once(family) ?? assert.fail('no port');
  const another = (home: UdpPort, lastTried?: UdpPort) =>
    ports.another(home, lastTried) ?? assert.fail('no other port');
  return { ports, open, logged, medium, common, once, another };
}

const EMFILE = Object.assign(new Error('socket EMFILE'), { code: 'EMFILE' });

describe('the common port', () => {
  test('is one for each family, and stays open without users', () => {
    const { ports, open, common } = setUp();
    assert.equal(common(), common());
    assert.notEqual(common(4), common(6));
    const port = common();
    while (port.users > 0) ports.release(port);
    assert.deepEqual([...open], [1, 2]);
    ports.close();
    assert.deepEqual([...open], []);
  });

  test('that cannot be opened is tried again after a second, and logged once', (t: TestContext) => {
    let nowMs = 1000;
    t.mock.method(performance, 'now', () => nowMs);
    const { ports, logged, medium } = setUp();
    medium.error = EMFILE;
    assert.equal(ports.common(4), undefined);
    medium.error = new Error('something else');
    nowMs += 999;
    assert.equal(ports.common(4), undefined);
    const detail = 'EMFILE: no file descriptor left for the process';
    assert.deepEqual(ports.failureOf(4), { reason: 'local', detail });
    nowMs += 1;
    assert.equal(ports.common(4), undefined);
    const unknown = { reason: 'local', detail: 'something else' };
    assert.deepEqual(ports.failureOf(4), unknown);
    assert.deepEqual(
      logged.map(({ event, fields }) => [event, fields]),
      [
        [
          'udp_socket_unavailable',
          {
            ...{ family: 'ip4', source_address: '', source_port: 0 },
            ...{ interface: 'eth0', error: 'socket EMFILE' },
          },
        ],
      ],
    );
    medium.error = undefined;
    assert.ok(ports.common(6), 'the other family is not affected');
    nowMs += 1000;
    assert.ok(ports.common(4));
    assert.equal(logged.length, 1);
  });
});

describe('the port of probes', () => {
  test('differs from the common one, and is shared while its pings are answered', () => {
    const { common, once } = setUp();
    const port = once();
    assert.notEqual(port, common());
    assert.equal(once(), port);
  });

  test('stays open for two seconds for the next probe', (t: TestContext) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { ports, open, once } = setUp();
    const port = once();
    ports.release(port);
    t.mock.timers.tick(1_999);
    assert.equal(once(), port);
    t.mock.timers.tick(2_000);
    assert.deepEqual([...open], [port.port], 'it is in use');
    ports.release(port);
    t.mock.timers.tick(2_000);
    assert.deepEqual([...open], []);
    assert.notEqual(once(), port);
  });

  test('is replaced after an unanswered ping, and closed after its last one', () => {
    const { ports, open, once } = setUp();
    const [port] = [once(), once()];
    ports.retire(port);
    ports.release(port);
    const next = once();
    assert.notEqual(next, port);
    assert.deepEqual([...open], [port.port, next.port]);
    ports.retire(port);
    assert.equal(once(), next, 'retiring it again changes nothing');
    ports.release(port);
    assert.deepEqual([...open], [next.port]);
  });

  test('is replaced after half a minute', (t: TestContext) => {
    let nowMs = 1_000;
    t.mock.method(performance, 'now', () => nowMs);
    const { ports, open, once } = setUp();
    const [port, idle] = [once(4), once(6)];
    ports.release(idle);
    nowMs += 29_999;
    assert.equal(once(4), port);
    nowMs += 1;
    const next = once(4);
    assert.notEqual(next, port);
    assert.notEqual(once(6), idle);
    assert.ok(open.has(port.port) && !open.has(idle.port), 'the one in use stays open');
    ports.close();
    assert.deepEqual([...open], []);
    ports.release(port);
  });

  test('is the common one while too many are open, or none can be opened', () => {
    const { common, once, medium, ports } = setUp();
    const opened = Array.from({ length: 256 }, () => {
      const port = once();
      ports.retire(port);
      return port;
    });
    assert.equal(new Set(opened).size, 256);
    assert.equal(once(), common());
    for (const port of opened) ports.release(port);
    medium.error = EMFILE;
    assert.equal(once(), common());
  });

  test('is the common one with source_port', () => {
    const { common, once } = setUp(5060);
    assert.equal(once(), common());
  });
});

describe('another port', () => {
  test('is opened, shared by all targets that try one, and closed after the last of them', () => {
    const { ports, open, common, another } = setUp();
    const home = common();
    const tried = another(home);
    assert.notEqual(tried, home);
    assert.equal(another(home), tried);
    ports.release(tried);
    assert.deepEqual([...open], [home.port, tried.port]);
    ports.release(tried);
    assert.deepEqual([...open], [home.port]);
  });

  test('is not the one that failed last', () => {
    const { common, another } = setUp();
    const home = common();
    const first = another(home);
    const second = another(home, first);
    assert.notEqual(second, first);
    assert.equal(another(home, second), first);
  });

  test('is of the same family', () => {
    const { common, another } = setUp();
    another(common(4));
    assert.equal(another(common(6)).family, 6);
  });

  test('becomes the common one when a target moves to it, and the old one is closed after its last user', () => {
    const { ports, open, common, another } = setUp();
    const [home] = [common(), common()];
    const port = another(home);
    ports.replace(home, port);
    assert.equal(common(), port);
    assert.deepEqual([...open], [home.port, port.port]);
    assert.equal(another(port), home, 'it may be tried again');
    ports.release(home);
    ports.release(home);
    assert.deepEqual([...open], [port.port]);
  });

  test('is one that is already open if it did not just fail, so that few are opened', () => {
    const { open, common, another } = setUp();
    const home = common();
    let last: UdpPort | undefined;
    const tried = new Set<UdpPort>();
    for (let i = 0; i < 20; i++) {
      last = another(home, last);
      tried.add(last);
    }
    assert.deepEqual([tried.size, open.size], [2, 3]);
  });

  test('does not exist with source_port, or if none can be opened', () => {
    const asked = setUp(5060);
    assert.equal(asked.ports.another(asked.common(), undefined), undefined);
    const { ports, common, medium } = setUp();
    const home = common();
    medium.error = EMFILE;
    assert.equal(ports.another(home, undefined), undefined);
  });
});

describe('a port that nothing can be sent from', () => {
  test('is replaced for whoever comes next, and closed when its last user has left', () => {
    const { ports, open, common } = setUp();
    const first = common();
    const second = common();
    assert.equal(ports.isLost(first), false);
    ports.lose(first);
    assert.equal(ports.isLost(first), true);
    assert.notEqual(common(), first);
    ports.release(first);
    assert.ok(open.has(first.port));
    ports.release(second);
    assert.ok(!open.has(first.port));
    assert.equal(open.size, 1);
  });

  test('is not tried any more, also when it is not the common one', () => {
    const { ports, common, another, open } = setUp();
    const home = common();
    const other = another(home);
    ports.lose(other);
    assert.notEqual(another(home), other);
    ports.close();
    assert.equal(open.size, 0);
  });
});
