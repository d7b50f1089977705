import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { type TestContext, test } from 'node:test';
import { CLOCK_REALTIME, TIMESPEC } from '../../../src/pinger/net/layout.js';
import { LibcError, loadLibc } from '../../../src/pinger/net/libc.js';

const ON_LINUX = { skip: process.platform === 'linux' ? false : 'libc is loaded only on Linux' };
const require = createRequire(import.meta.url);

/** Replaces a property of `process` during a test. */
function pretend(t: TestContext, name: 'platform' | 'arch', value: string): void {
  const before = process[name];
  Object.defineProperty(process, name, { value });
  t.after(() => Object.defineProperty(process, name, { value: before }));
}

/** Replaces the exports of `koffi` during a test. */
function replaceKoffi(t: TestContext, exports: () => unknown): void {
  const path = require.resolve('koffi');
  const before = require.cache[path];
  const replaced = { id: path, filename: path, loaded: true, children: [] };
  Object.defineProperty(replaced, 'exports', { get: exports });
  Object.assign(require.cache, { [path]: replaced });
  t.after(() => {
    if (before === undefined) delete require.cache[path];
    else Object.assign(require.cache, { [path]: before });
  });
}

const isLibcError = (message: RegExp) => (error: unknown) =>
  error instanceof LibcError && message.test(error.message);

// These tests come first, because libc stays loaded once it is.
test('libc is loaded only on Linux, and only on machines whose structs are known', (t) => {
  pretend(t, 'arch', 'arm');
  if (ON_LINUX.skip === false) {
    assert.throws(loadLibc, isLibcError(/^expected a 64-bit little-endian machine, got arm$/));
  }
  pretend(t, 'platform', 'darwin');
  assert.throws(loadLibc, isLibcError(/^expected Linux, got darwin$/));
});

test(
  'libc is not loaded where koffi is not installed, or has no build for this machine',
  ON_LINUX,
  (t) => {
    replaceKoffi(t, () => {
      throw new Error('Cannot find the native Koffi module\nRequire stack');
    });
    const message = /^koffi cannot be loaded: Cannot find the native Koffi module$/;
    assert.throws(loadLibc, isLibcError(message));
  },
);

test('libc is not loaded where it cannot be opened', ON_LINUX, (t) => {
  replaceKoffi(t, () => ({
    load: () => {
      throw new Error('no such library');
    },
  }));
  assert.throws(loadLibc, isLibcError(/^libc cannot be \w+: no such library/));
});

test('libc is not used when it returns a wrong time, because its structs differ', ON_LINUX, (t) => {
  replaceKoffi(t, () => ({ load: () => ({ func: () => () => 0 }), errno: () => 0 }));
  assert.throws(loadLibc, isLibcError(/clock_gettime gives another time than Date/));
});

test('libc is loaded once, and returns the time', ON_LINUX, () => {
  const libc = loadLibc();
  assert.equal(loadLibc(), libc);
  const time = Buffer.from(new ArrayBuffer(TIMESPEC.bytes));
  assert.equal(libc.clock_gettime(CLOCK_REALTIME, time), 0);
  assert.ok(Math.abs(time.readUInt32LE(TIMESPEC.seconds) - Date.now() / 1000) < 5);
  assert.equal(libc.close(-1), -1);
  assert.equal(libc.errno(), 9, 'EBADF');
});
