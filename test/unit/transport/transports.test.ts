import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Transport } from '../../../src/pinger/transport/transport.js';
import { Transports } from '../../../src/pinger/transport/transports.js';
import { settings } from '../../support/settings.js';

for (const [marksUdp, count] of [
  [true, 2],
  [false, 1],
] as const) {
  const sockets = marksUdp ? 'do not share UDP sockets that carry it' : 'share UDP sockets';
  test(`destinations that differ in dscp ${sockets}`, () => {
    const opened: Transport[] = [];
    const open = (): Transport => {
      const transport = { open: () => assert.fail(), close: () => {} };
      opened.push(transport);
      return transport;
    };
    const transports = new Transports(open, () => true, marksUdp);
    for (const dscp of [0, 46, 46]) transports.of('udp', { ...settings(), sourcePort: 5060, dscp });
    assert.equal(opened.length, count);
  });
}
