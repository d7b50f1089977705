import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localIfAddressIsGone } from '../../../src/pinger/transport/own-address.js';
import type { Outcome } from '../../../src/shared/outcome.js';

const TIMEOUT: Outcome = { kind: 'failed', reason: 'timeout' };
/** Addresses for documentation (RFC 5737, RFC 3849), which no host has. */
const GONE = ['192.0.2.77', '2001:db8::77'] as const;

for (const address of GONE) {
  for (const reason of ['timeout', 'unreachable', 'reset'] as const) {
    test(`"${reason}" is a local error when ${address}, the source address of the ping, no longer exists`, () => {
      const outcome = localIfAddressIsGone({ kind: 'failed', reason }, address);
      assert.deepEqual(outcome, {
        ...{ kind: 'failed', reason: 'local' },
        detail: 'EADDRNOTAVAIL: the local address does not exist, or no local port is left',
      });
    });
  }
}

for (const address of ['127.0.0.1', '::1']) {
  test(`a timeout stays a timeout while ${address}, the source address of the ping, exists`, () => {
    assert.equal(localIfAddressIsGone(TIMEOUT, address), TIMEOUT);
  });
}

test('a timeout stays a timeout when the address is unknown or cannot be checked', () => {
  assert.equal(localIfAddressIsGone(TIMEOUT, ''), TIMEOUT);
  // A link-local address cannot be bound without its interface.
  assert.equal(localIfAddressIsGone(TIMEOUT, 'fe80::77'), TIMEOUT);
});

test('a response of the peer is never a local error', () => {
  for (const outcome of [
    { kind: 'answered', code: 503, rttMicros: 1 },
    { kind: 'failed', reason: 'refused' },
    { kind: 'failed', reason: 'malformed' },
  ] as const) {
    assert.equal(localIfAddressIsGone(outcome, GONE[0]), outcome);
  }
});
