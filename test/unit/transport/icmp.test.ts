import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ORIGIN_ICMP, ORIGIN_ICMP6, ORIGIN_LOCAL } from '../../../src/pinger/net/layout.js';
import { icmpDetail } from '../../../src/pinger/transport/icmp.js';

function detail(origin: number, icmpType: number, icmpCode: number, info = 0) {
  const error = { address: '192.0.2.1', port: 5060, code: 'EHOSTUNREACH' };
  return icmpDetail({ ...error, origin, icmpType, icmpCode, info });
}

describe('an ICMP error', () => {
  for (const [type, code, text] of [
    [3, 0, 'network unreachable'],
    [3, 1, 'host unreachable'],
    [3, 2, 'protocol unreachable'],
    [3, 3, 'port unreachable'],
    [3, 5, 'source route failed'],
    [3, 6, 'network unknown'],
    [3, 7, 'host unknown'],
    [3, 9, 'network administratively prohibited'],
    [3, 10, 'host administratively prohibited'],
    [3, 13, 'administratively prohibited'],
    [11, 0, 'time to live exceeded'],
    // Has no text of its own.
    [3, 11, 'type 3, code 11'],
    [12, 1, 'type 12, code 1'],
  ] as const) {
    test(`of type ${type} and code ${code} is "${text}"`, () => {
      assert.equal(detail(ORIGIN_ICMP, type, code), `ICMP: ${text}`);
    });
  }

  test('of a packet that is too big names the MTU', () => {
    assert.equal(detail(ORIGIN_ICMP, 3, 4, 1400), 'ICMP: packet too big, the MTU is 1400');
  });
});

describe('an ICMPv6 error', () => {
  for (const [type, code, text] of [
    [1, 0, 'no route to the destination'],
    [1, 1, 'administratively prohibited'],
    [1, 2, 'beyond the scope of the source address'],
    [1, 3, 'address unreachable'],
    [1, 4, 'port unreachable'],
    [1, 5, 'source address failed the policy'],
    [1, 6, 'route rejected'],
    [3, 0, 'hop limit exceeded'],
    [1, 9, 'type 1, code 9'],
    [4, 1, 'type 4, code 1'],
  ] as const) {
    test(`of type ${type} and code ${code} is "${text}"`, () => {
      assert.equal(detail(ORIGIN_ICMP6, type, code), `ICMPv6: ${text}`);
    });
  }

  test('of a packet that is too big names the MTU', () => {
    assert.equal(detail(ORIGIN_ICMP6, 2, 0, 1280), 'ICMPv6: packet too big, the MTU is 1280');
  });
});

test('an error of this host is not described as ICMP', () => {
  assert.equal(detail(ORIGIN_LOCAL, 3, 1), undefined);
});
