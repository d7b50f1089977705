import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Arena, type Part } from '../../../src/pinger/net/arena.js';
import { BATCH, Batch } from '../../../src/pinger/net/batch.js';
import { MMSGHDR } from '../../../src/pinger/net/layout.js';
import type { Libc } from '../../../src/pinger/net/libc.js';
import { addressIn, portIn, sockaddr } from '../../../src/pinger/net/sockaddr.js';
import { StampClock } from '../../../src/pinger/net/stamp-clock.js';
import { readAddress } from '../../../src/shared/address.js';

const NO_LIBC = { address: () => 4096n } as unknown as Libc;

describe('a socket address', () => {
  test('of IPv4 is read as it was written', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 0, max: 65_535 }), (address, port) => {
        const name = sockaddr(4, address, port);
        assert.deepEqual([addressIn(name), portIn(name)], [address, port]);
      }),
    );
  });

  test('of IPv6 is read as it was written, in its canonical text', () => {
    fc.assert(
      fc.property(fc.ipV6(), fc.integer({ min: 0, max: 65_535 }), (text, port) => {
        const ip = readAddress(text);
        fc.pre(ip?.family === 6);
        const name = sockaddr(6, ip?.address ?? '', port);
        assert.deepEqual([addressIn(name), portIn(name)], [ip?.address, port]);
      }),
    );
  });

  test('of an unknown family is empty', () => {
    assert.equal(addressIn(Buffer.alloc(0)), '');
    assert.equal(addressIn(Buffer.alloc(32)), '');
    assert.equal(addressIn(sockaddr(6, '::1', 1).subarray(0, 20)), '');
  });
});

test('parts of an arena do not overlap, and only as many as fit are given out', () => {
  const arena = new Arena(NO_LIBC, 256);
  const parts = [arena.allocate(10), arena.allocate(64), arena.allocate(65)];
  assert.deepEqual(
    parts.map(({ address }) => address),
    [4096n, 4160n, 4224n],
  );
  assert.throws(() => arena.allocate(1), RangeError);
});

/** An arena whose parts the test writes to, as the kernel would. */
class WatchedArena extends Arena {
  readonly #parts: Buffer[] = [];

  override allocate(length: number): Part {
    const part = super.allocate(length);
    this.#parts.push(part.bytes);
    return part;
  }

  /** The last parts, the newest first. */
  lastParts(count: number): readonly Buffer[] {
    return this.#parts.slice(-count).reverse();
  }
}

test('invalid control data is read within its bounds', () => {
  const layout = { slotBytes: 64, controlBytes: 64 };
  const arena = new WatchedArena(NO_LIBC, Batch.bytes(layout));
  const batch = new Batch(arena, layout);
  const [headers, controls] = arena.lastParts(2);
  assert.ok(headers !== undefined && controls !== undefined);
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 64 }),
      fc.integer({ min: 0, max: BATCH - 1 }),
      (control, i) => {
        controls.set(control, i * layout.controlBytes);
        headers.writeUInt32LE(control.length, i * MMSGHDR.bytes + MMSGHDR.controlLength);
        batch.eachControl(i, (_level, _type, at, length) => {
          assert.ok(at >= i * 64 && at + length <= (i + 1) * 64);
        });
      },
    ),
  );
});

describe('the clock of stamps', () => {
  /** A machine whose wall clock can be set. */
  function machine() {
    let monotonicMs = 1000;
    let wallMs = 0;
    let jitterMs = 0;
    const libc = {
      address: () => 0n,
      clock_gettime: (_clock: number, time: Buffer) => {
        monotonicMs += jitterMs;
        const ms = Date.UTC(2026, 0, 1) + wallMs + monotonicMs;
        time.writeUInt32LE(Math.floor(ms / 1000), 0);
        time.writeUInt32LE(Math.round((ms % 1000) * 1e6), 8);
        return 0;
      },
    } as unknown as Libc;
    const clock = new StampClock(libc, new Arena(libc, StampClock.bytes), () => monotonicMs);
    return {
      clock,
      stampOf: (ms: number) => {
        const wall = Date.UTC(2026, 0, 1) + wallMs + ms;
        return [Math.floor(wall / 1000), Math.round((wall % 1000) * 1e6)] as const;
      },
      setWall: (byMs: number) => {
        wallMs += byMs;
      },
      delayReadings: (ms: number) => {
        jitterMs = ms;
      },
    };
  }

  test('turns a stamp into monotonic time, to the nanosecond', () => {
    const { clock, stampOf } = machine();
    const [a, b] = [clock.monotonic(...stampOf(2000)), clock.monotonic(...stampOf(2000.25))];
    assert.ok(Math.abs(a - 2000) < 0.001);
    assert.ok(Math.abs(b - a - 0.25) < 1e-6);
  });

  test('detects each step of the wall clock, forward and back, once', () => {
    const { clock, stampOf, setWall } = machine();
    assert.equal(clock.check(), false);
    for (const byMs of [3_600_000, -7_200_000, 1]) {
      setWall(byMs);
      assert.equal(clock.check(), true);
      assert.equal(clock.check(), false);
      assert.ok(Math.abs(clock.monotonic(...stampOf(5000)) - 5000) < 0.001);
    }
    assert.equal(clock.steps, 3);
  });

  test('does not mistake a delay between two readings for a step', () => {
    const { clock, delayReadings } = machine();
    delayReadings(30);
    assert.equal(clock.check(), false);
    assert.equal(clock.steps, 0);
  });
});
