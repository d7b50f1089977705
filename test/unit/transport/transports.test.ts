import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Transport } from '../../../src/pinger/transport/transport.js';
import { Transports } from '../../../src/pinger/transport/transports.js';
import { logOnce } from '../../../src/shared/log-once.js';
import type { LogLine } from '../../../src/shared/protocol.js';
import { settings } from '../../support/settings.js';

function setUp(isKernelUdp: boolean) {
  const opened: Transport[] = [];
  const lines: LogLine[] = [];
  const open = (): Transport => {
    const transport = { open: () => assert.fail(), close: () => {} };
    opened.push(transport);
    return transport;
  };
  const log = logOnce((line) => lines.push(line));
  return { transports: new Transports(open, () => true, isKernelUdp, log), opened, lines };
}

const DIFFERING = {
  dscp: [{ dscp: 0 }, { dscp: 46 }, { dscp: 46 }],
  interface: [{ interfaceName: '' }, { interfaceName: 'eth0' }, { interfaceName: 'eth0' }],
} as const;

for (const [isKernelUdp, count] of [
  [true, 2],
  [false, 1],
] as const) {
  const sockets = isKernelUdp ? 'do not share UDP sockets that apply it' : 'share UDP sockets';
  for (const [setting, changes] of Object.entries(DIFFERING)) {
    test(`destinations that differ in ${setting} ${sockets}`, () => {
      const { transports, opened } = setUp(isKernelUdp);
      for (const change of changes) {
        transports.of('udp', { ...settings(), sourcePort: 5060, ...change });
      }
      assert.equal(opened.length, count);
    });
  }

  test(`settings that a transport cannot apply are logged once (${isKernelUdp ? 'kernel' : 'dgram'})`, () => {
    const { transports, lines } = setUp(isKernelUdp);
    for (const change of [{}, { interfaceName: 'eth0', dscp: 46 }, { interfaceName: 'eth1' }]) {
      for (const name of ['udp', 'tcp', 'tls'] as const) transports.of(name, settings(change));
    }
    assert.deepEqual(
      lines.map(({ level, event }) => [level, event]),
      isKernelUdp
        ? []
        : [
            ['warn', 'udp_dscp_unsupported'],
            ['warn', 'interface_unsupported'],
          ],
    );
  });
}
