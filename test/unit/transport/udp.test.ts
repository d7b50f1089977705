import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dgramUdp } from '../../../src/pinger/transport/dgram-udp.js';
import type { LogLine } from '../../../src/shared/protocol.js';

test('a family whose socket cannot be opened does not keep the other from opening', (t) => {
  const logged: LogLine[] = [];
  const transport = dgramUdp({
    sourceAddress: '127.0.0.1',
    sourcePort: 0,
    onMessage: () => true,
    onRebind: () => {},
    log: (line) => logged.push(line),
  });
  t.after(() => transport.close());
  const outcomes: string[] = [];
  const open = (address: string, family: 4 | 6) =>
    transport.open(
      { address, port: 9, family, domain: address },
      {
        ready: () => outcomes.push(`ip${family} ready`),
        failed: ({ reason }) => outcomes.push(`ip${family} ${reason}`),
        waitingFor: () => outcomes.push('awaits'),
        connectionLost: () => outcomes.push('lost'),
        connected: () => outcomes.push('connected'),
        secured: () => outcomes.push('secured'),
      },
      false,
    );
  open('::1', 6).prepare();
  open('::1', 6).prepare();
  open('127.0.0.1', 4).prepare();
  assert.deepEqual(outcomes, ['ip6 local', 'ip6 local', 'ip4 ready']);
  assert.equal(logged.length, 1, 'the error is logged once');
});
