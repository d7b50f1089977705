import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemdSockets } from '../../../src/platform/systemd-sockets.js';

test('the sockets of systemd begin at descriptor 3', () => {
  assert.deepEqual(systemdSockets({ LISTEN_PID: '7', LISTEN_FDS: '2' }, 7), [3, 4]);
});

for (const [what, env] of [
  ['without sockets', {}],
  ['with those of another process', { LISTEN_PID: '8', LISTEN_FDS: '1' }],
  ['with a count that is none', { LISTEN_PID: '7', LISTEN_FDS: '0' }],
] as const) {
  test(`${what} is an error that says what was passed`, () => {
    assert.throws(() => systemdSockets(env, 7), {
      name: 'SystemdSocketError',
      message: /^web\.systemd-socket: expected sockets from systemd .*, got LISTEN_PID=/,
    });
  });
}
