/** One ping of a destination that is not watched, step by step, and what it came to. */

import { bracketed } from '../../shared/address.js';
import { parseAliveCodes } from '../../shared/alive-codes.js';
import { isInCidr } from '../../shared/cidr.js';
import type { TargetSlot } from '../../shared/destination.js';
import type { ConnectPhase } from '../../shared/ledger/layout.js';
import {
  type DownReason,
  detailOf,
  type Outcome,
  type TransportName,
} from '../../shared/outcome.js';
import type { ProbeLogLine, ProbeReport } from '../../shared/probe-report.js';
import type { ProbeRequest } from '../../shared/protocol.js';
import type { TlsPeer } from '../../shared/tls-peer.js';
import { parseUri, type SipUri } from '../../shared/uri.js';
import { locateQuery, numericLocation } from '../dns/locate.js';
import type { ServerLocation } from '../dns/location.js';
import type { Resolver } from '../dns/refresher.js';
import { failureReason } from '../monitor/verdicts.js';
import { redacted } from '../sip/redact.js';
import { Target, type TargetListener, type TargetTools } from '../targets/target.js';
import type { Transports } from '../transport/transports.js';

/** Of a probe's log: its lines, the bytes of a message in it, and those of all messages. */
const MAX_LINES = 100;
const MAX_MESSAGE_LENGTH = 8 * 1024;
const MAX_LOGGED = 32 * 1024;
/** The ping's own deadline comes this much before the probe's: it knows better what was missing. */
const MARGIN_MS = 10;

export interface ProbeOptions {
  readonly tools: TargetTools;
  readonly resolver: Resolver;
  readonly transports: Transports;
  /** Puts a target where messages and timers find it; undefined takes it away. */
  readonly setTarget: (slot: number, target: Target | undefined) => void;
}

export class Probe implements TargetListener {
  readonly #request: ProbeRequest;
  readonly #slot: TargetSlot;
  readonly #options: ProbeOptions;
  readonly #finish: (report: ProbeReport | undefined) => void;
  readonly #uri: SipUri;
  readonly #hop: SipUri;
  #transport: TransportName | undefined;
  readonly #beganAt: number;
  readonly #log: ProbeLogLine[] = [];
  #logged = 0;
  readonly #stopClock: () => void;
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
  #isEnding = false;

  constructor(
    request: ProbeRequest,
    slot: TargetSlot,
    options: ProbeOptions,
    finish: (report: ProbeReport | undefined) => void,
  ) {
    const { uri, settings, timeoutMs } = request;
    const { clock } = options.tools;
    this.#request = request;
    this.#slot = slot;
    this.#options = options;
    this.#finish = finish;
    this.#uri = parseUri(uri, settings.transport);
    const { route } = settings.identity;
    this.#hop = route === '' ? this.#uri : parseUri(route, settings.transport);
    this.#beganAt = clock.now();
    this.#stopClock = clock.after(timeoutMs, () => this.#runOut());
  }

  async run(): Promise<void> {
    this.#note(`probing ${this.#request.uri}`);
    const locations = await this.#locations();
    if (this.#isOver || locations === undefined) return;
    const { allow } = this.#request;
    const location = locations.find((p) => allow.length === 0 || isInCidr(p.address, allow));
    if (location === undefined) this.#end({ isAllowed: false });
    else this.#ping(location);
  }

  cancel(): void {
    this.#close();
    this.#finish(undefined);
  }

  ended(outcome: Outcome, retransmissions: number): void {
    const { aliveCodes } = this.#request.settings;
    const reason = failureReason(outcome, parseAliveCodes(aliveCodes));
    const code = outcome.kind === 'answered' ? outcome.code : undefined;
    if (outcome.kind === 'answered') {
      const { rttMicros = Number.NaN } = outcome;
      this.#durations = { ...this.#durations, request: rttMicros / 1e6 };
    }
    const detail = reason === undefined ? '' : detailOf(outcome);
    this.#end({ isAlive: reason === undefined, reason, detail, code, retransmissions });
  }

  unobserved(): void {
    this.#end({ isSeen: false });
  }

  faulted(): void {
    this.#end({ reason: 'local', detail: 'internal error; the log has it' });
  }

  answeredLate(): void {}

  responded(): void {}

  challenged(): void {
    this.#note('meeting the challenge');
  }

  failedOver(): void {
    this.#note('trying the next address');
  }

  connected(phase: ConnectPhase, micros: number): void {
    this.#durations = { ...this.#durations, [phase]: micros / 1e6 };
    this.#note(phase === 'connect' ? 'connected' : 'the TLS handshake is over');
  }

  secured(peer: TlsPeer): void {
    this.#tls = peer;
    const verdict = peer.isVerified ? 'verified' : peer.fault;
    this.#note(`the peer shows the certificate of ${peer.subject}: ${verdict}`);
  }

  readonly traced = (direction: 'sent' | 'received', bytes: Uint8Array): void => {
    const shown = bytes.subarray(0, Math.min(MAX_MESSAGE_LENGTH, MAX_LOGGED - this.#logged));
    this.#logged += shown.length;
    this.#note(`${direction} ${bytes.length} bytes`, redacted(shown, shown.length < bytes.length));
  };

  /** Where the destination is served; undefined once it is told that it is nowhere. */
  async #locations(): Promise<readonly ServerLocation[] | undefined> {
    const query = locateQuery(this.#hop, this.#request.settings);
    const numeric = numericLocation(query);
    if (numeric !== undefined) return [numeric];
    const { resolver } = this.#options;
    this.#isResolving = true;
    const result = await resolver.locate(query);
    this.#isResolving = false;
    if (this.#isOver) return undefined;
    this.#tookToResolve();
    for (const detail of result.errors) this.#note(detail);
    if (result.kind === 'failed') {
      this.#fail(result.reason === 'local' ? 'local' : 'resolution', result.detail);
      return undefined;
    }
    for (const { steps } of result.locations) {
      this.#note(steps.map(({ type, name, value }) => `${type} ${name} is ${value}`).join(', '));
    }
    return result.locations;
  }

  #tookToResolve(): void {
    const resolve = (this.#options.tools.clock.now() - this.#beganAt) / 1000;
    this.#durations = { ...this.#durations, resolve };
  }

  #ping({ transport, address, port, family }: ServerLocation): void {
    const { settings, timeoutMs } = this.#request;
    const { tools, transports, setTarget } = this.#options;
    const leftMs = timeoutMs - (tools.clock.now() - this.#beganAt) - MARGIN_MS;
    this.#transport = transport;
    this.#address = address;
    this.#note(`pinging ${bracketed(address)}:${port} over ${transport}`);
    const endpoint = { address, port, family, domain: this.#hop.host };
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

  /** What came until now was read before this, if the event loop gets around to it once more. */
  #runOut(): void {
    setImmediate(() => {
      if (this.#isOver) return;
      const ranOut = 'the time for the whole probe ran out';
      if (!this.#isResolving) return this.#fail('timeout', ranOut);
      this.#tookToResolve();
      this.#fail('resolution', `${ranOut} while ${this.#hop.host} was looked up`);
    });
  }

  #fail(reason: DownReason, detail: string): void {
    this.#end({ reason, detail });
  }

  #end(result: Partial<ProbeReport>): void {
    if (this.#isOver) return;
    const total = (this.#options.tools.clock.now() - this.#beganAt) / 1000;
    const { reason, detail = '', isAlive = false } = result;
    this.#isEnding = true;
    this.#note(isAlive ? 'alive' : `not alive: ${[reason, detail].filter(Boolean).join(', ')}`);
    this.#close();
    this.#finish({
      isAllowed: true,
      isSeen: true,
      code: undefined,
      retransmissions: 0,
      reason,
      detail,
      isAlive,
      transport: this.#transport,
      address: this.#address,
      tls: this.#tls,
      log: this.#log,
      ...result,
      durations: { ...this.#durations, total },
    });
  }

  #close(): void {
    this.#isOver = true;
    this.#stopClock();
    if (this.#target === undefined) return;
    this.#target.close();
    this.#options.setTarget(this.#slot.index, undefined);
  }

  #note(what: string, message = ''): void {
    // The conclusion has its place whatever came before.
    if (this.#log.length >= MAX_LINES && !this.#isEnding) return;
    this.#log.push({ atMs: this.#options.tools.clock.epoch(), what, message });
  }
}
