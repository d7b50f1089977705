/** Closes the descriptors that an exited thread had opened without Node.js; the ledger lists them. */

import { closeSync } from 'node:fs';
import type { Faults } from '../shared/faults.js';
import { Descriptors } from '../shared/ledger/descriptors.js';

/** @param close closes one descriptor; tests replace it. */
export function closeDescriptors(
  ledger: SharedArrayBuffer,
  faults: Faults,
  close: (fd: number) => void = closeSync,
): void {
  const descriptors = new Descriptors(ledger);
  for (const fd of descriptors.all()) {
    faults.contain('descriptor of an exited thread', () => close(fd));
  }
  descriptors.clear();
}
