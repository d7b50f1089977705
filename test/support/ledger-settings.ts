import { DEFAULT_BOUNDS } from '../../src/shared/ledger/histogram-layout.js';
import type { LedgerSettings } from '../../src/shared/protocol.js';

/** Those of an exporter without settings of its own. */
export const LEDGER_SETTINGS: LedgerSettings = {
  rttBoundsMicros: DEFAULT_BOUNDS.rtt,
  connectBoundsMicros: DEFAULT_BOUNDS.connect,
  hasExemplars: true,
};
