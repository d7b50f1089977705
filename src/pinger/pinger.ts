/** The pinger: which targets there are, what their pings came to, and the verdicts. */

import { type AliveCodes, parseAliveCodes } from '../shared/alive-codes.js';
import type {
  Destination,
  DestinationSlot,
  TargetAddress,
  TargetSlot,
} from '../shared/destination.js';
import { LEDGER_CAPACITY, type LedgerWriter } from '../shared/ledger.js';
import type { DownReason, FailureReason, Outcome } from '../shared/outcome.js';
import type {
  Change,
  FromPinger,
  ResolvedTargets,
  ServerName,
  ToPinger,
} from '../shared/protocol.js';
import { combine, judge, type State } from '../shared/state.js';
import { bracketed, parseUri, type SipUri } from '../shared/uri.js';
import type { Clock } from './clock.js';
import type { Entropy } from './entropy.js';
import { Loop } from './loop.js';
import { Names } from './names.js';
import { Receiver } from './receiver.js';
import type { Address, Resolver } from './resolver.js';
import type { Scan } from './scanner.js';
import { Scheduler } from './scheduler.js';
import { Target } from './target.js';
import type { Endpoint, MessageHandler, Transport } from './transport/transport.js';
import { Wheel } from './wheel.js';

/** RFC 3261 19.1.2: where a URI without a port is served over UDP. */
const DEFAULT_PORT = 5060;
/** What a peer calls itself is told again at most this often, and cut at this length. */
const SERVER_CHANGE_MS = 60_000;
const LONGEST_SERVER = 128;

export interface PingerOptions {
  readonly clock: Clock;
  readonly writer: LedgerWriter;
  readonly known: readonly ResolvedTargets[];
  readonly resolver: Resolver;
  readonly entropy: Entropy;
  readonly openTransport: (
    source: { readonly sourceAddress: string; readonly sourcePort: number },
    onMessage: MessageHandler,
  ) => Transport;
  readonly afterReads: (callback: () => void) => void;
  readonly post: (message: FromPinger) => void;
}

/** A destination that is watched. */
interface Watch {
  readonly slot: DestinationSlot;
  readonly destination: Destination;
  readonly uri: SipUri;
  readonly alive: AliveCodes;
  /** By address, as in {@link TargetAddress}. */
  readonly targets: Map<string, Target>;
  /** Rows that addresses of this destination had under an earlier pinger or earlier settings. */
  readonly kept: Map<string, TargetSlot>;
  /** What the peer calls itself, and when it is worth looking again. */
  server: string;
  serverDueMs: number;
}

export class Pinger {
  readonly #options: PingerOptions;
  readonly #scheduler: Scheduler;
  readonly #timers = new Wheel(LEDGER_CAPACITY);
  readonly #loop: Loop;
  readonly #receiver: Receiver;
  readonly #names: Names;
  readonly #transports = new Map<string, Transport>();
  readonly #watches = new Map<number, Watch>();
  /** By the index of their slot. */
  readonly #targets: (Target | undefined)[] = [];
  readonly #known: Map<number, ResolvedTargets>;
  readonly #free: number[] = [];
  readonly #aliveCodes = new Map<string, AliveCodes>();
  readonly #resolvedOutbox = new Map<number, ResolvedTargets>();
  readonly #changedOutbox: Change[] = [];
  readonly #serverOutbox: ServerName[] = [];
  #isFlushDue = false;

  constructor(options: PingerOptions) {
    this.#options = options;
    const { clock, writer, resolver, known } = options;
    this.#scheduler = new Scheduler(clock, LEDGER_CAPACITY, this.#ping);
    this.#receiver = new Receiver({
      clock,
      targetAt: (slot) => this.#targets[slot],
      onUnmatched: () => writer.recordUnmatched(),
      newTag: () => this.#newTag(),
    });
    this.#loop = new Loop({
      clock,
      timers: this.#timers,
      scheduler: this.#scheduler,
      ring: (timer) => this.#targets[timer]?.ring(),
      beat: () => writer.beat(),
      received: () => this.#receiver.received,
      afterReads: options.afterReads,
    });
    this.#names = new Names(clock, resolver, {
      resolved: (id, addresses) => this.#resolved(id, addresses),
      unresolved: (id, why) => this.#unresolved(id, why),
    });
    this.#known = new Map(known.map((entry) => [entry.destination.index, entry]));
    const taken = new Set(known.flatMap((entry) => entry.targets.map((t) => t.slot.index)));
    for (let i = writer.targetsUsed - 1; i >= 0; i--) if (!taken.has(i)) this.#free.push(i);
  }

  start(): void {
    this.#loop.start();
    this.#options.post({ type: 'ready' });
  }

  handle(message: Exclude<ToPinger, { type: 'stop' }>): void {
    switch (message.type) {
      case 'watch':
        for (const { slot, destination } of message.destinations) this.#watch(slot, destination);
        break;
      case 'unwatch':
        for (const slot of message.slots) this.#unwatch(slot);
        break;
      default:
        message satisfies never;
    }
    this.#loop.wake();
  }

  close(): void {
    this.#loop.stop();
    this.#names.close();
    for (const target of this.#targets) target?.close();
    for (const transport of this.#transports.values()) transport.close();
  }

  #watch(slot: DestinationSlot, destination: Destination): void {
    const earlier = this.#watches.get(slot.index);
    const isSame = earlier?.slot.generation === slot.generation;
    const kept = isSame ? this.#detach(earlier) : this.#adopt(slot);
    if (earlier !== undefined && !isSame) this.#unwatch(earlier.slot);
    const { settings, uri } = destination;
    const watch: Watch = {
      slot,
      destination,
      uri: parseUri(uri),
      alive: this.#aliveCodesOf(settings.aliveCodes),
      targets: new Map(),
      kept,
      server: isSame ? earlier.server : '',
      serverDueMs: 0,
    };
    this.#options.writer.openDestination(slot);
    this.#watches.set(slot.index, watch);
    if (watch.uri.hostKind === 'name') {
      this.#names.add(slot.index, watch.uri.host);
    } else {
      const family = watch.uri.hostKind === 'ipv4' ? 4 : 6;
      this.#resolved(slot.index, [{ address: watch.uri.host, family }]);
    }
  }

  #unwatch(slot: DestinationSlot): void {
    const watch = this.#watches.get(slot.index);
    if (watch?.slot.generation !== slot.generation) return;
    for (const kept of this.#detach(watch).values()) this.#free.push(kept.index);
    this.#watches.delete(slot.index);
    this.#resolvedOutbox.delete(slot.index);
  }

  /** Stops the destination's pings and hands out the rows that its targets had. */
  #detach(watch: Watch): Map<string, TargetSlot> {
    this.#names.remove(watch.slot.index);
    const slots = new Map(watch.kept);
    for (const [address, target] of watch.targets) {
      this.#closeTarget(target);
      slots.set(address, target.slot);
    }
    return slots;
  }

  /** The rows that an earlier pinger used for this destination. */
  #adopt(slot: DestinationSlot): Map<string, TargetSlot> {
    const known = this.#known.get(slot.index);
    this.#known.delete(slot.index);
    if (known?.destination.generation !== slot.generation) {
      for (const target of known?.targets ?? []) this.#free.push(target.slot.index);
      return new Map();
    }
    return new Map(known.targets.map((target) => [target.address, target.slot]));
  }

  /** Only the first address is pinged. */
  #resolved(id: number, addresses: readonly Address[]): void {
    const watch = this.#watches.get(id);
    const first = addresses[0];
    if (watch === undefined || first === undefined) return;
    const port = watch.uri.port ?? DEFAULT_PORT;
    this.#setTargets(watch, [{ ...first, port }]);
  }

  #unresolved(id: number, why: string): void {
    const watch = this.#watches.get(id);
    if (watch === undefined) return;
    this.#options.writer.recordResolutionFailure(watch.slot);
    this.#options.post({
      type: 'log',
      level: 'warn',
      message: 'a name does not resolve',
      fields: { destination: watch.destination.name, host: watch.uri.host, error: why },
    });
    if (watch.targets.size === 0) this.#setVerdict(watch, 'down', 'resolution');
  }

  #setTargets(watch: Watch, endpoints: readonly Endpoint[]): void {
    const wanted = new Map(endpoints.map((e) => [`${bracketed(e.address)}:${e.port}`, e]));
    let isChanged = false;
    for (const [address, target] of watch.targets) {
      if (wanted.has(address)) continue;
      isChanged = true;
      watch.targets.delete(address);
      this.#closeTarget(target);
      this.#free.push(target.slot.index);
    }
    for (const [address, endpoint] of wanted) {
      if (watch.targets.has(address)) continue;
      isChanged = this.#openTarget(watch, address, endpoint) || isChanged;
    }
    for (const slot of watch.kept.values()) this.#free.push(slot.index);
    watch.kept.clear();
    if (isChanged) this.#announce(watch);
  }

  /** False when the ledger is full. */
  #openTarget(watch: Watch, address: string, endpoint: Endpoint): boolean {
    const { writer, clock, entropy } = this.#options;
    const { settings, name } = watch.destination;
    const slot = watch.kept.get(address) ?? this.#newSlot();
    if (slot === undefined) return false;
    watch.kept.delete(address);
    const target = new Target({
      slot,
      uri: watch.uri,
      settings,
      endpoint,
      transport: this.#transportFor(watch.destination),
      clock,
      timers: this.#timers,
      entropy,
      onEnded: (outcome, retransmissions) => this.#ended(watch, slot, outcome, retransmissions),
      onLate: () => writer.recordLateResponse(slot),
      onResponse: (bytes, scan) => this.#learnServer(watch, bytes, scan),
    });
    watch.targets.set(address, target);
    this.#targets[slot.index] = target;
    this.#scheduler.add(slot.index, `${name} ${address}`, settings.intervalMs);
    return true;
  }

  #closeTarget(target: Target): void {
    if (target.isBusy) this.#options.writer.addInFlight(-1);
    target.close();
    this.#scheduler.remove(target.slot.index);
    this.#targets[target.slot.index] = undefined;
  }

  #newSlot(): TargetSlot | undefined {
    const { writer, post } = this.#options;
    const index = this.#free.pop() ?? writer.targetsUsed;
    if (index < LEDGER_CAPACITY) return writer.openTarget(index);
    post({
      type: 'log',
      level: 'error',
      message: 'too many targets; this one is not pinged',
      fields: { most: LEDGER_CAPACITY },
    });
    return undefined;
  }

  readonly #ping = (index: number, latenessMs: number): void => {
    const { writer } = this.#options;
    writer.recordLateness(Math.round(latenessMs * 1000));
    writer.addInFlight(1);
    this.#targets[index]?.ping();
  };

  #ended(watch: Watch, slot: TargetSlot, outcome: Outcome, retransmissions: number): void {
    const { writer, clock } = this.#options;
    const { rise, fall } = watch.destination.settings;
    const reason = failureOf(outcome, watch.alive);
    const before = writer.verdictOf(slot);
    const verdict = judge(before, reason === undefined, rise, fall);
    const answer = outcome.kind === 'answered' ? outcome : undefined;
    writer.recordPing(slot, {
      reason,
      code: answer?.code,
      rttMicros: answer?.rttMicros,
      retransmissions,
      verdict,
      endedAtMs: clock.epoch(),
    });
    writer.addInFlight(-1);
    if (before.state !== verdict.state || verdict.state === 'down') {
      this.#judgeDestination(watch, reason);
    }
    this.#loop.wakeBy(this.#scheduler.done(slot.index));
  }

  #judgeDestination(watch: Watch, reason: FailureReason | undefined): void {
    const states = [...watch.targets.values()].map(
      (t) => this.#options.writer.verdictOf(t.slot).state,
    );
    const state = combine(states);
    this.#setVerdict(watch, state, state === 'down' ? reason : undefined);
  }

  #setVerdict(watch: Watch, to: State, reason: DownReason | undefined): void {
    const { writer, clock } = this.#options;
    const from = writer.stateOf(watch.slot);
    const atMs = clock.epoch();
    writer.recordVerdict(watch.slot, to, reason, atMs);
    if (from === to) return;
    this.#changedOutbox.push({ destination: watch.slot, from, to, reason, atMs });
    this.#flushSoon();
  }

  #learnServer(watch: Watch, bytes: Uint8Array, scan: Scan): void {
    const now = this.#options.clock.now();
    if (now < watch.serverDueMs) return;
    const { start, end } = scan.server.start >= 0 ? scan.server : scan.userAgent;
    if (start < 0) return;
    watch.serverDueMs = now + SERVER_CHANGE_MS;
    const server = printable(bytes, start, Math.min(end, start + LONGEST_SERVER));
    if (server === watch.server) return;
    watch.server = server;
    this.#serverOutbox.push({ destination: watch.slot, server });
    this.#flushSoon();
  }

  #announce(watch: Watch): void {
    const targets: TargetAddress[] = [...watch.targets].map(([address, target]) => ({
      slot: target.slot,
      transport: watch.destination.settings.transport,
      address,
    }));
    this.#resolvedOutbox.set(watch.slot.index, { destination: watch.slot, targets });
    this.#flushSoon();
  }

  /** What comes up in one turn of the event loop crosses in one message of its kind. */
  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    queueMicrotask(() => {
      this.#isFlushDue = false;
      const { post } = this.#options;
      const resolved = [...this.#resolvedOutbox.values()];
      const changes = this.#changedOutbox.splice(0);
      const servers = this.#serverOutbox.splice(0);
      this.#resolvedOutbox.clear();
      if (resolved.length > 0) post({ type: 'targets', resolved });
      if (changes.length > 0) post({ type: 'changed', changes });
      if (servers.length > 0) post({ type: 'servers', servers });
    });
  }

  #transportFor({ settings }: Destination): Transport {
    const { sourceAddress, sourcePort } = settings;
    const key = `${sourceAddress} ${sourcePort}`;
    const open = this.#transports.get(key);
    if (open !== undefined) return open;
    const source = { sourceAddress, sourcePort };
    const transport = this.#options.openTransport(source, this.#receiver.take);
    this.#transports.set(key, transport);
    return transport;
  }

  #aliveCodesOf(text: string): AliveCodes {
    const known = this.#aliveCodes.get(text);
    if (known !== undefined) return known;
    const codes = parseAliveCodes(text);
    this.#aliveCodes.set(text, codes);
    return codes;
  }

  #newTag(): string {
    const digits = Buffer.alloc(16);
    this.#options.entropy.writeHex(digits, 0, 8);
    return digits.toString('latin1');
  }
}

/** Why the ping was not alive; undefined when it was. */
function failureOf(outcome: Outcome, alive: AliveCodes): FailureReason | undefined {
  if (outcome.kind === 'failed') return outcome.reason;
  if (alive.has(outcome.code)) return undefined;
  return outcome.code === 401 || outcome.code === 407 ? 'auth' : 'code';
}

/** Text from the network for a label: what is not printable becomes a question mark. */
function printable(bytes: Uint8Array, start: number, end: number): string {
  const text = Buffer.from(bytes.subarray(start, end)).toString('utf8');
  return text.replace(/[\p{C}\uFFFD]/gu, '?').trim();
}
