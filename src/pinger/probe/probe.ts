/** One probe: resolve, connect, ping once, and report each step and the result. */

import { bracketed } from '../../shared/address.js';
import { isInCidr } from '../../shared/cidr.js';
import type { TargetSlot } from '../../shared/destination.js';
import type { ConnectPhase } from '../../shared/ledger/layout.js';
import {
  type DownReason,
  detailOf,
  type Outcome,
  type TransportName,
} from '../../shared/outcome.js';
import type { ProbeReport } from '../../shared/probe-report.js';
import type { ProbeRequest } from '../../shared/protocol.js';
import { responseCodes } from '../../shared/status-codes.js';
import type { TlsPeer } from '../../shared/tls-peer.js';
import { parseUri, type SipUri } from '../../shared/uri.js';
import type { DebugLog, DebugSubject } from '../debug/debug-log.js';
import { locateQuery, numericLocation } from '../dns/locate.js';
import type { ServerLocation } from '../dns/location.js';
import type { Resolver } from '../dns/refresher.js';
import { logMessage } from '../monitor/message-line.js';
import { failureReason } from '../monitor/verdicts.js';
import type { CurrentHop } from '../targets/attempt.js';
import { Target, type TargetListener, type TargetTools } from '../targets/target.js';
import type { Transports } from '../transport/transports.js';
import { ProbeLog } from './probe-log.js';

/** The ping times out this much earlier than the probe, because its reason is more exact. */
const PING_MARGIN_MS = 10;

export interface ProbeOptions {
  readonly tools: TargetTools;
  readonly resolver: Resolver;
  readonly transports: Transports;
  readonly debug: DebugLog;
  /** Registers a target for messages and timers; undefined removes it. */
  readonly setTarget: (index: number, target: Target | undefined) => void;
}

export class Probe implements TargetListener {
  readonly #request: ProbeRequest;
  readonly #subject: DebugSubject;
  readonly #slot: TargetSlot;
  readonly #options: ProbeOptions;
  readonly #finish: (report: ProbeReport | undefined) => void;
  readonly #uri: SipUri;
  readonly #hop: SipUri;
  #transport: TransportName | undefined;
  readonly #beganAt: number;
  readonly #log: ProbeLog;
  readonly #cancelTimeout: () => void;
  #target: Target | undefined;
  #address: string | undefined;
  #tls: TlsPeer | undefined;
  #durations: Omit<ProbeReport['durations'], 'total'> = {
    resolve: undefined,
    connect: undefined,
    tls: undefined,
    request: undefined,
  };
  #isOver = false;
  #isResolving = false;

  constructor(
    request: ProbeRequest,
    slot: TargetSlot,
    options: ProbeOptions,
    finish: (report: ProbeReport | undefined) => void,
  ) {
    const { uri, settings, timeoutMs } = request;
    const { clock } = options.tools;
    this.#request = request;
    this.#subject = { name: uri, uri };
    this.#slot = slot;
    this.#options = options;
    this.#finish = finish;
    this.#uri = parseUri(uri, settings.transport);
    const { route } = settings.identity;
    this.#hop = route === '' ? this.#uri : parseUri(route, settings.transport);
    this.#beganAt = clock.now();
    this.#log = new ProbeLog(clock);
    this.#cancelTimeout = clock.after(timeoutMs, () => this.#timeOut());
  }

  async run(): Promise<void> {
    this.#log.step(`probing ${this.#request.uri}`);
    const locations = await this.#locations();
    if (this.#isOver || locations === undefined) return;
    const { allow } = this.#request;
    const location = locations.find(
      ({ address }) => allow.length === 0 || isInCidr(address, allow),
    );
    if (location === undefined) this.#end({ isAllowed: false });
    else this.#ping(location);
  }

  cancel(): void {
    this.#close();
    this.#finish(undefined);
  }

  ended(outcome: Outcome, retransmissions: number): void {
    const reason = failureReason(outcome, responseCodes(this.#request.settings));
    const code = outcome.kind === 'answered' ? outcome.code : undefined;
    if (outcome.kind === 'answered') {
      const { rttMicros = Number.NaN } = outcome;
      this.#durations = { ...this.#durations, request: rttMicros / 1e6 };
    }
    const detail = reason === undefined ? '' : detailOf(outcome);
    this.#end({ isAlive: reason === undefined, reason, detail, code, retransmissions });
  }

  unobserved(): void {
    this.#end({ isObserved: false });
  }

  faulted(): void {
    this.#end({ reason: 'local', detail: "internal error; see the exporter's log" });
  }

  answeredLate(): void {}

  responded(): void {}

  challenged(): void {
    this.#log.step('answering the authentication challenge');
  }

  failedOver(): void {
    this.#log.step('failing over to the next address');
  }

  connected(phase: ConnectPhase, micros: number): void {
    this.#durations = { ...this.#durations, [phase]: micros / 1e6 };
    this.#log.step(phase === 'connect' ? 'connected' : 'TLS handshake complete');
  }

  secured(peer: TlsPeer): void {
    this.#tls = peer;
    const verification = peer.isVerified ? 'verified' : peer.fault;
    this.#log.step(`peer certificate ${peer.subject}: ${verification}`);
  }

  sent(bytes: Uint8Array, hop: CurrentHop): void {
    this.#trace('sent', bytes, hop);
  }

  received(bytes: Uint8Array, hop: CurrentHop): void {
    this.#trace('received', bytes, hop);
  }

  #trace(direction: 'sent' | 'received', bytes: Uint8Array, hop: CurrentHop): void {
    logMessage(this.#options.debug, this.#subject, direction, bytes, hop);
    this.#log.message(direction, bytes);
  }

  /** The locations of the URI. After a failure, which ends the probe: undefined. */
  async #locations(): Promise<readonly ServerLocation[] | undefined> {
    const query = locateQuery(this.#hop, this.#request.settings);
    const numeric = numericLocation(query);
    if (numeric !== undefined) return [numeric];
    const { resolver } = this.#options;
    this.#isResolving = true;
    const result = await resolver.locate(query);
    this.#isResolving = false;
    if (this.#isOver) return undefined;
    this.#recordResolveTime();
    for (const detail of result.errors) this.#log.step(detail);
    if (result.kind === 'failed') {
      this.#fail(result.reason === 'local' ? 'local' : 'resolution', result.detail);
      return undefined;
    }
    for (const { steps } of result.locations) {
      this.#log.step(
        steps.map(({ type, name, value }) => `${type} ${name} -> ${value}`).join(', '),
      );
    }
    return result.locations;
  }

  #recordResolveTime(): void {
    const resolve = (this.#options.tools.clock.now() - this.#beganAt) / 1000;
    this.#durations = { ...this.#durations, resolve };
  }

  #ping({ transport, address, port, family }: ServerLocation): void {
    const { settings, timeoutMs } = this.#request;
    const { tools, transports, setTarget } = this.#options;
    const leftMs = timeoutMs - (tools.clock.now() - this.#beganAt) - PING_MARGIN_MS;
    this.#transport = transport;
    this.#address = address;
    this.#log.step(`pinging ${bracketed(address)}:${port} over ${transport}`);
    const endpoint = { address, port, family, domain: this.#hop.host, destination: this.#subject };
    this.#target = new Target({
      slot: this.#slot,
      uri: this.#uri,
      settings: { ...settings, timeoutMs: Math.max(Math.min(settings.timeoutMs, leftMs), 1) },
      hops: [{ endpoint, transportName: transport, transport: transports.of(transport, settings) }],
      isForOnce: true,
      tools,
      listener: this,
    });
    setTarget(this.#slot.index, this.#target);
    const target = this.#target;
    tools.guard.run(target, 'probe', () => target.ping());
  }

  /** Lets the event loop read the sockets first: a response may have arrived in time. */
  #timeOut(): void {
    setImmediate(() => {
      if (this.#isOver) return;
      const timedOut = 'the probe timed out';
      if (!this.#isResolving) return this.#fail('timeout', timedOut);
      this.#recordResolveTime();
      this.#fail('resolution', `${timedOut} during the DNS lookup of ${this.#hop.host}`);
    });
  }

  #fail(reason: DownReason, detail: string): void {
    this.#end({ reason, detail });
  }

  #end(result: Partial<ProbeReport>): void {
    if (this.#isOver) return;
    const total = (this.#options.tools.clock.now() - this.#beganAt) / 1000;
    const { reason, detail = '', isAlive = false } = result;
    this.#log.result(
      isAlive ? 'alive' : `not alive: ${[reason, detail].filter(Boolean).join(', ')}`,
    );
    this.#close();
    this.#finish({
      isAllowed: true,
      isObserved: true,
      code: undefined,
      retransmissions: 0,
      reason,
      detail,
      isAlive,
      transport: this.#transport,
      address: this.#address,
      tls: this.#tls,
      log: this.#log.lines,
      ...result,
      durations: { ...this.#durations, total },
    });
  }

  #close(): void {
    this.#isOver = true;
    this.#cancelTimeout();
    if (this.#target === undefined) return;
    this.#target.close();
    this.#options.setTarget(this.#slot.index, undefined);
  }
}
