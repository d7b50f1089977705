import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failureOf, openConnectionFailure } from '../../../src/pinger/transport/socket-errors.js';
import { tlsFailure } from '../../../src/pinger/transport/tls-errors.js';

const error = (code: string) => Object.assign(new Error(code), { code });

describe('a system error', () => {
  for (const code of [
    ...['EMFILE', 'ENFILE', 'EPERM', 'EACCES', 'EADDRINUSE', 'EADDRNOTAVAIL', 'ENOBUFS'],
    ...['ENOMEM', 'EAFNOSUPPORT', 'EMSGSIZE', 'EINVAL', 'ENODEV'],
  ]) {
    test(`(${code}) is local before a connection, on it, and in its handshake`, () => {
      for (const failure of [
        failureOf(error(code)),
        openConnectionFailure(error(code)),
        tlsFailure(error(code), false),
      ]) {
        assert.equal(failure.reason, 'local');
        assert.match(failure.detail ?? '', new RegExp(`^${code}: \\w+ \\w+`));
      }
    });
  }

  for (const [code, before, after] of [
    ['ECONNREFUSED', 'refused', 'reset'],
    ['ECONNRESET', 'refused', 'reset'],
    ['EPIPE', 'local', 'reset'],
    ['EHOSTUNREACH', 'unreachable', 'unreachable'],
    ['ENETUNREACH', 'unreachable', 'unreachable'],
    ['ENETDOWN', 'unreachable', 'unreachable'],
    ['ETIMEDOUT', 'unreachable', 'reset'],
  ] as const) {
    test(`(${code}) before a connection is ${before}, and ${after} on it`, () => {
      assert.equal(failureOf(error(code)).reason, before);
      assert.equal(openConnectionFailure(error(code)).reason, after);
    });
  }
});
