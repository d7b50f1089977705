/** Destinations on a real ledger and a fake clock. Instead of a pinger, the test records the pings. */

import type { RegisteredDestination, TargetAddress } from '../../src/shared/destination.js';
import { createLedger } from '../../src/shared/ledger/layout.js';
import { LedgerReader } from '../../src/shared/ledger/reader.js';
import { LedgerWriter, type PingRecord } from '../../src/shared/ledger/writer.js';
import type { DownReason, TransportName } from '../../src/shared/outcome.js';
import type { State } from '../../src/shared/state.js';
import type { TlsPeer } from '../../src/shared/tls-peer.js';
import type { StatusContext } from '../../src/status/freshness.js';
import { FakeClock } from './fake-clock.js';
import { settings } from './settings.js';

type Change = Partial<RegisteredDestination['destination']> &
  Partial<Pick<RegisteredDestination, 'owners' | 'server'>> & {
    readonly targets?: readonly (Partial<TargetAddress> & { readonly address: string })[];
  };

export const TLS_PEER: TlsPeer = {
  ...{ version: 'TLS 1.3', cipher: 'TLS_AES_256_GCM_SHA384', isVerified: false, fault: 'expired' },
  ...{ subject: 'CN=a', issuer: 'CN=ca', subjectAlternative: 'DNS:a', serialNumber: '01' },
  ...{ fingerprint: '00ff', notBeforeMs: 1_600_000_000_000, notAfterMs: 1_699_999_000_000 },
  chainNotAfterMs: 1_699_998_000_000,
  chain: [{ subject: 'CN=sip.example.com', notAfterMs: 1_699_998_000_000 }],
};

export function statusRig() {
  const buffer = createLedger();
  const clock = new FakeClock();
  const writer = new LedgerWriter(buffer, () => clock.epoch());
  const all: RegisteredDestination[] = [];
  let targetsUsed = 0;
  const status: StatusContext = {
    ledger: new LedgerReader(buffer),
    registry: {
      get size() {
        return all.length;
      },
      all: () => [...all],
      named: (name) => all.find(({ destination }) => destination.name === name),
      at: ({ index, generation }) =>
        all.find(({ slot }) => slot.index === index && slot.generation === generation),
      withUri: (uri) => all.filter(({ destination }) => destination.uri === uri),
    },
    now: () => clock.epoch(),
  };

  /** Adds a destination, by default with one target over UDP and an interval of 30 s. */
  const add = (name: string, change: Change = {}) => {
    const { owners = ['config'], server = '', targets, ...destination } = change;
    const slot = { index: all.length, generation: 1 };
    const number = all.length + 1;
    const ip = `192.0.${2 + Math.floor(number / 256)}.${number % 256}`;
    writer.openDestination(slot);
    const addresses = targets ?? [{ address: `${ip}:5060` }];
    const registered: RegisteredDestination = {
      destination: {
        ...{ name, uri: `sip:${ip}`, module: 'default', labels: {} },
        ...{ settings: settings(), ...destination },
      },
      ...{ slot, owners, server, isFollowed: false, peers: new Map() },
      targets: addresses.map((target) => ({
        ...{ slot: writer.openTarget(targetsUsed++), transport: 'udp' as TransportName },
        ...{ priority: undefined, weight: undefined, ...target },
      })),
    };
    all.push(registered);
    return handleOf(registered);
  };

  const handleOf = (registered: RegisteredDestination) => ({
    registered,
    /** Records a ping of a target that ends now. */
    ping: (change: Partial<PingRecord> = {}, index = 0) => {
      const slot = registered.targets[index]?.slot;
      if (slot === undefined) throw new Error(`there is no target ${index}`);
      const isAlive = change.reason === undefined;
      writer.recordPing(slot, {
        ...{ reason: undefined, code: isAlive ? 200 : undefined, retransmissions: 0 },
        rttMicros: isAlive ? 1_500 : undefined,
        verdict: { state: isAlive ? 'up' : 'down', run: isAlive ? 1 : -1 },
        endedAtMs: clock.epoch(),
        ...change,
      });
    },
    /** Records the state of the destination. */
    become: (state: State, reason?: DownReason) =>
      writer.recordVerdict(registered.slot, state, reason, clock.epoch()),
    /** Sets the details of a target that are not in the ledger. */
    peer: (detail: string, tls?: TlsPeer, index = 0) => {
      const at = registered.targets[index]?.slot.index ?? 0;
      (registered.peers as Map<number, unknown>).set(at, { detail, tls });
    },
  });

  const remove = (name: string) => {
    all.splice(
      all.findIndex(({ destination }) => destination.name === name),
      1,
    );
  };
  return { status, clock, writer, add, remove };
}
