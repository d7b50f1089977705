/** A pinger on a fake clock, over transports with fake peers. */

import { DebugLog } from '../../src/pinger/debug/debug-log.js';
import type { LocateResult } from '../../src/pinger/dns/locate.js';
import type { LocateQuery, ServerLocation } from '../../src/pinger/dns/location.js';
import { Pinger } from '../../src/pinger/pinger.js';
import type {
  Endpoint,
  Flow,
  FlowListener,
  MessageHandler,
  Transport,
} from '../../src/pinger/transport/transport.js';
import type { Destination, DestinationSlot, PingSettings } from '../../src/shared/destination.js';
import { Faults } from '../../src/shared/faults.js';
import { Files } from '../../src/shared/file-contents.js';
import { createLedger } from '../../src/shared/ledger/layout.js';
import { LedgerReader } from '../../src/shared/ledger/reader.js';
import { LedgerWriter } from '../../src/shared/ledger/writer.js';
import type { FromPinger, LogLine, ProbeRequest } from '../../src/shared/protocol.js';
import { FakeClock } from './fake-clock.js';
import { settings } from './settings.js';

export const SLOT: DestinationSlot = { index: 0, generation: 1 };
export const INTERVAL_MS = 1_000;
const TIMEOUT_MS = 900;
const LOCAL = { address: '192.0.2.99', port: 40_000 };
const RTT_MS = 5;

/** The behaviour of the peers, which a test may change. */
export interface Script {
  /** Called when a ping needs its flow. */
  prepare: (listener: FlowListener, endpoint: Endpoint) => void;
  /** The status line after `SIP/2.0 `, and further headers; undefined for no response. */
  respond: (request: string, endpoint: Endpoint) => string | undefined;
  locate: (query: LocateQuery) => LocateResult | Promise<LocateResult>;
}

export class PingerRig {
  readonly clock = new FakeClock();
  readonly buffer = createLedger();
  readonly writer = new LedgerWriter(this.buffer, Date.now);
  readonly ledger = new LedgerReader(this.buffer);
  readonly posted: FromPinger[] = [];
  /** Requests so far, each with the address that it was sent to. */
  readonly sent: { readonly address: string; readonly request: string }[] = [];
  /** Errors that were contained. */
  readonly errors: LogLine[] = [];
  readonly pinger: Pinger;
  readonly script: Script = {
    prepare: (listener) => listener.ready(LOCAL),
    respond: () => '200 OK',
    locate: () => located('192.0.2.1'),
  };

  constructor() {
    const { clock, writer, posted, errors } = this;
    this.pinger = new Pinger({
      debug: new DebugLog({
        now: () => clock.now(),
        afterReads: (callback) => callback(),
        post: (lines) => posted.push({ type: 'debug_lines', lines }),
      }),
      ...{ clock, writer, previousTargets: [], files: new Files() },
      faults: new Faults({ now: () => clock.now(), log: (line) => errors.push(line) }),
      resolver: { locate: async (query) => this.script.locate(query) },
      ttls: { minTtlMs: 1_000, maxTtlMs: 300_000 },
      openTransport: (name, _settings, onMessage) => this.#transport(name === 'udp', onMessage),
      afterReads: (callback) => callback(),
      post: (message) => posted.push(message),
    });
    this.pinger.start();
  }

  /** Monitors a destination that is pinged every second. */
  monitor(
    change: Partial<Omit<PingSettings, 'identity' | 'tls'>> = {},
    { uri = 'sip:192.0.2.1', name = 'd', slot = SLOT, isFollowed = false } = {},
  ): void {
    const destination: Destination = {
      ...{ name, uri, module: 'default', labels: {} },
      settings: settings({ intervalMs: INTERVAL_MS, timeoutMs: TIMEOUT_MS, ...change }),
    };
    this.pinger.handle({ type: 'monitor', destinations: [{ slot, destination, isFollowed }] });
  }

  probe({
    settings: given = settings(),
    ...request
  }: Partial<Omit<ProbeRequest, 'id'>> = {}): void {
    this.pinger.handle({ type: 'probe_settings', number: 0, settings: given });
    const probe = { id: 1, uri: 'sip:192.0.2.1', settings: 0, timeoutMs: 2_000, allow: [] };
    this.pinger.handle({ type: 'probe', probes: [{ ...probe, ...request }] });
  }

  pass(ms: number): Promise<void> {
    return this.clock.advanceSettling(ms);
  }

  /** The messages of one type so far. */
  messages<Type extends FromPinger['type']>(
    type: Type,
  ): readonly Extract<FromPinger, { readonly type: Type }>[] {
    const isOfType = (
      message: FromPinger,
    ): message is Extract<FromPinger, { readonly type: Type }> => message.type === type;
    return this.posted.filter(isOfType);
  }

  #transport(isDatagram: boolean, onMessage: MessageHandler): Transport {
    return {
      open: (endpoint, listener) => this.#flow(isDatagram, endpoint, listener, onMessage),
      close() {},
    };
  }

  #flow(
    isDatagram: boolean,
    endpoint: Endpoint,
    listener: FlowListener,
    onMessage: MessageHandler,
  ): Flow {
    const send = (message: Uint8Array) => {
      const request = Buffer.from(message).toString('latin1');
      this.sent.push({ address: endpoint.address, request });
      const status = this.script.respond(request, endpoint);
      if (status === undefined) return;
      const response = Buffer.from(responseTo(request, status), 'latin1');
      const { address, port } = endpoint;
      const source = { address, port, isConnection: !isDatagram, answer() {} };
      this.clock.after(RTT_MS, () => onMessage(response, source));
    };
    return {
      ...{ isReliable: !isDatagram, send, resend: send, pingEnded() {}, close() {} },
      prepare: () => this.script.prepare(listener, endpoint),
      explain: (outcome) => outcome,
    };
  }
}

/** The locations of a name with these addresses, in this order of priority. */
export function located(...addresses: readonly string[]): LocateResult {
  const locations = addresses.map(
    (address, priority): ServerLocation => ({
      ...{ transport: 'udp', address, family: 4, port: 5060, priority, weight: 1 },
      steps: [{ type: 'A', name: 'd.test', value: address, untilMs: 1e9 }],
    }),
  );
  return {
    ...{ kind: 'located', locations, expiresAtMs: Number.POSITIVE_INFINITY },
    ...{ lookupError: undefined, errors: [] },
  };
}

function responseTo(request: string, status: string): string {
  const copied = request.split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq):/.test(line));
  return [`SIP/2.0 ${status}`, ...copied, 'Content-Length: 0', '', ''].join('\r\n');
}
