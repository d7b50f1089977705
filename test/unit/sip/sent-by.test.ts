import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isSameSentBy } from '../../../src/pinger/sip/sent-by.js';

describe('two sent-by values', () => {
  for (const [one, other, transport, isSame] of [
    ['192.0.2.1', '192.0.2.1:5060', 'udp', true],
    ['192.0.2.1', '192.0.2.1:5060', 'tcp', true],
    ['sbc.example', 'sbc.example:5061', 'tls', true],
    ['sbc.example', 'sbc.example:80', 'ws', true],
    ['sbc.example', 'sbc.example:443', 'wss', true],
    ['sbc.example', 'sbc.example:5060', 'tls', false],
    ['SBC.Example:5062', 'sbc.example:5062', 'udp', true],
    ['192.0.2.1 : 05062', '192.0.2.1:5062', 'udp', true],
    ['[2001:DB8:0:0::1]:5062', '[2001:db8::1]:5062', 'udp', true],
    ['[2001:db8::1]', '[2001:db8::1]:5060', 'udp', true],
    ['sbc.example.:5062', 'sbc.example:5062', 'udp', true],
    ['[2001:db8::1]', '[2001:db8::2]', 'udp', false],
    ['192.0.2.1:5061', '192.0.2.1', 'udp', false],
    ['192.0.2.1', '192.0.2.2', 'udp', false],
    ['', '192.0.2.1', 'udp', false],
  ] as const) {
    test(`"${one}" and "${other}" over ${transport} are ${isSame ? 'the same' : 'different'}`, () => {
      assert.equal(isSameSentBy(one, other, transport), isSame);
      assert.equal(isSameSentBy(other, one, transport), isSame);
    });
  }
});
