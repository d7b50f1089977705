import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, type TestContext, test } from 'node:test';
import { IP_RECVERR } from '../../../src/pinger/net/layout.js';
import { openKernelUdp } from '../../../src/pinger/udp-io.js';
import { Descriptors } from '../../../src/shared/ledger/descriptors.js';
import { createLedger } from '../../../src/shared/ledger/layout.js';
import { LedgerReader } from '../../../src/shared/ledger/reader.js';
import { LedgerWriter } from '../../../src/shared/ledger/writer.js';
import { logOnce } from '../../../src/shared/log-once.js';
import type { LogLine, UdpIoChoice } from '../../../src/shared/protocol.js';

const ENOPROTOOPT = 92;

interface Koffi {
  load(name: string | null): { func(signature: string): (...args: unknown[]) => number };
  errno(): number;
  address(buffer: Buffer): bigint;
}

/** For the length of a test, koffi loads a libc that refuses the option IP_RECVERR. */
function refuseErrors(t: TestContext): void {
  const require = createRequire(import.meta.url);
  const koffi: Koffi = require('koffi');
  const { load, errno } = koffi;
  let isRefused = false;
  t.mock.method(koffi, 'errno', () => (isRefused ? ENOPROTOOPT : errno.call(koffi)));
  t.mock.method(koffi, 'load', (name: string | null) => {
    const library = load.call(koffi, name);
    return {
      func: (signature: string) => {
        const call = library.func(signature);
        return (...args: unknown[]) => {
          isRefused = signature.startsWith('int setsockopt') && args[2] === IP_RECVERR;
          return isRefused ? -1 : call(...args);
        };
      },
    };
  });
}

function open(t: TestContext, choice: UdpIoChoice) {
  const ledger = createLedger();
  const logged: LogLine[] = [];
  const log = (line: LogLine) => logged.push(line);
  const udp = openKernelUdp({
    ...{ choice, ledger, writer: new LedgerWriter(ledger, () => 0) },
    ...{ now: () => performance.now(), log, logOnce: logOnce(log), onQueued: () => {} },
  });
  t.after(() => udp?.closeAll());
  const recorded = () => new LedgerReader(ledger).pinger().udpIo;
  const events = () => logged.map(({ event, fields }) => [event, fields['io'] ?? fields['option']]);
  return { udp, logged, events, recorded, descriptors: new Descriptors(ledger) };
}

const SOCKET = { family: 4, address: '127.0.0.1', port: 0, dscp: 0, interfaceName: '' } as const;
const LISTENER = { message: () => {}, networkError: () => {} };

describe('UDP', () => {
  test('is done by Node.js where the kernel sockets cannot be used, which is logged and recorded', (t) => {
    const { platform } = process;
    Object.defineProperty(process, 'platform', { value: 'darwin' });
    t.after(() => Object.defineProperty(process, 'platform', { value: platform }));
    const { udp, logged, events, recorded } = open(t, 'auto');
    assert.equal(udp, undefined);
    assert.deepEqual(events(), [
      ['udp_io_unavailable', undefined],
      ['udp_io', 'dgram'],
    ]);
    assert.equal(logged[0]?.fields['error'], 'expected Linux, got darwin');
    assert.equal(recorded(), 'dgram');
  });

  test('is done by Node.js where that is chosen, without a try of the kernel', (t) => {
    const { udp, events, recorded } = open(t, 'dgram');
    assert.equal(udp, undefined);
    assert.deepEqual([events(), recorded()], [[['udp_io', 'dgram']], 'dgram']);
  });

  // Not by `skipOf`, which loads libc: libc that is loaded stays.
  const skip = process.platform === 'linux' ? false : 'the kernel sockets are of Linux';

  test('is done by the kernel otherwise, and an option that it refuses is logged once', {
    skip,
  }, (t) => {
    refuseErrors(t);
    const { udp, events, recorded, descriptors } = open(t, 'auto');
    const before = descriptors.all().length;
    const ports = [0, 1].map(() => udp?.open(SOCKET, LISTENER));
    assert.equal(descriptors.all().length, before + 2, 'each descriptor is listed');
    for (const port of ports) if (port !== undefined) udp?.close(port);
    assert.equal(descriptors.all().length, before);
    const refused = events().filter(([, what]) => what === 'IP_RECVERR');
    assert.deepEqual(refused, [['udp_option_refused', 'IP_RECVERR']]);
    assert.ok(events().some(([event, io]) => event === 'udp_io' && io === 'kernel'));
    assert.equal(recorded(), 'kernel');
  });
});
