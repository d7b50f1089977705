/** The exit of a thread leaves open what it opened outside of Node.js: the ledger has a list. */

import { closeSync } from 'node:fs';
import type { Faults } from '../shared/faults.js';
import { Descriptors } from '../shared/ledger/descriptors.js';

/** Closes the descriptors of a pinger thread that has exited. */
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
