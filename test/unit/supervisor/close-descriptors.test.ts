import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Faults } from '../../../src/shared/faults.js';
import {
  createLedger,
  DESCRIPTORS_AT,
  MAX_DESCRIPTORS,
} from '../../../src/shared/ledger/layout.js';
import { closeDescriptors } from '../../../src/supervisor/close-descriptors.js';

/** A ledger whose thread left these descriptors open. */
function ledgerWith(fds: readonly number[]) {
  const ledger = createLedger();
  const cells = new Int32Array(ledger, 4 * DESCRIPTORS_AT, MAX_DESCRIPTORS);
  // 0 is an empty cell.
  for (const [i, fd] of fds.entries()) cells[2 * i] = 1 + fd;
  return { ledger, cells };
}

function setUp() {
  const faults = new Faults({ now: () => 0, log: () => {} });
  const closed: number[] = [];
  return { faults, closed };
}

test('the descriptors that an exited thread left open are closed once', () => {
  const { faults, closed } = setUp();
  const { ledger, cells } = ledgerWith([0, 40, 41]);
  closeDescriptors(ledger, faults, (fd) => closed.push(fd));
  closeDescriptors(ledger, faults, (fd) => closed.push(fd));
  assert.deepEqual(closed, [0, 40, 41]);
  assert.equal(
    cells.every((cell) => cell === 0),
    true,
  );
  assert.equal(faults.count, 0);
});

test('a descriptor that cannot be closed is an internal error, and the others are closed', () => {
  const { faults, closed } = setUp();
  closeDescriptors(ledgerWith([40, 41]).ledger, faults, (fd) => {
    closed.push(fd);
    if (fd === 40) throw new Error('EBADF');
  });
  assert.deepEqual([closed, faults.count], [[40, 41], 1]);
});
