/** The pinger: which destinations are watched, and which targets they have. */

import { type AliveCodes, parseAliveCodes } from '../shared/alive-codes.js';
import type {
  Destination,
  DestinationSlot,
  PingSettings,
  TargetSlot,
} from '../shared/destination.js';
import { LEDGER_CAPACITY } from '../shared/ledger/cells.js';
import type { LedgerWriter } from '../shared/ledger/writer.js';
import type { TransportName } from '../shared/outcome.js';
import type { FromPinger, ResolvedTargets, ToPinger } from '../shared/protocol.js';
import { bracketed, DEFAULT_PORTS, parseUri, transportOf } from '../shared/uri.js';
import { type Address, isWanted } from './addresses.js';
import type { Clock } from './clock.js';
import { Entropy } from './entropy.js';
import type { Files } from './files.js';
import { Judge } from './judge.js';
import { Loop } from './loop.js';
import { Names } from './names.js';
import { Outbox } from './outbox.js';
import { MOST_PROBES, Prober } from './prober.js';
import { Receiver } from './receiver.js';
import type { Resolver } from './resolver.js';
import { Scheduler } from './scheduler.js';
import { TargetSlots } from './slots.js';
import { Target, type TargetTools } from './target.js';
import type { Endpoint, MessageHandler, Transport } from './transport/transport.js';
import { wireKey } from './transport/wires.js';
import { Vigil } from './vigil.js';
import type { Watch } from './watch.js';
import { WatchedTarget, type WatchedTargetTools } from './watched-target.js';
import { Wheel } from './wheel.js';

/** Stalls that are logged; shorter ones are counted. */
const WORTH_A_WORD_MS = 1_000;

export interface PingerOptions {
  readonly clock: Clock;
  readonly writer: LedgerWriter;
  readonly known: readonly ResolvedTargets[];
  readonly resolver: Resolver;
  readonly openWire: (
    name: TransportName,
    settings: PingSettings,
    onMessage: MessageHandler,
  ) => Transport;
  readonly files: Files;
  /** Runs once the event loop has read what the sockets hold. */
  readonly afterReads: (callback: () => void) => void;
  readonly post: (message: FromPinger) => void;
}

export class Pinger {
  readonly #options: PingerOptions;
  readonly #tools: TargetTools;
  readonly #scheduler: Scheduler;
  readonly #loop: Loop;
  readonly #receiver: Receiver;
  readonly #names: Names;
  readonly #outbox: Outbox;
  readonly #judge: Judge;
  readonly #slots: TargetSlots;
  readonly #prober: Prober;
  readonly #watchedTools: WatchedTargetTools;
  /** By the index of their slot. */
  readonly #watches = new Map<number, Watch>();
  readonly #targets: (Target | undefined)[] = [];
  /** Targets of probes, whose numbers follow those of the ledger's rows. */
  readonly #probed: (Target | undefined)[] = [];
  readonly #wires = new Map<string, Transport>();
  readonly #aliveCodes = new Map<string, AliveCodes>();

  constructor(options: PingerOptions) {
    const { clock, writer, known, resolver, files, afterReads, post } = options;
    this.#options = options;
    const timers = new Wheel(LEDGER_CAPACITY + MOST_PROBES);
    const vigil = new Vigil();
    const entropy = new Entropy();
    this.#tools = { clock, timers, vigil, entropy, files };
    this.#outbox = new Outbox(post);
    this.#judge = new Judge(clock, writer, this.#outbox);
    this.#slots = new TargetSlots(writer, known);
    this.#watchedTools = { judge: this.#judge, writer, done: (slot) => this.#done(slot) };
    this.#prober = new Prober({
      tools: this.#tools,
      resolver,
      transportFor: (wire, settings) => this.#wireFor(wire, settings),
      firstSlot: LEDGER_CAPACITY,
      place: (slot, target) => {
        this.#probed[slot - LEDGER_CAPACITY] = target;
      },
      done: (id, report) => post({ type: 'probed', id, report }),
    });
    this.#scheduler = new Scheduler(clock, LEDGER_CAPACITY, this.#ping);
    this.#receiver = new Receiver({
      clock,
      targetAt: (slot) => this.#targetAt(slot),
      onUnmatched: () => writer.recordUnmatched(),
      newTag: () => entropy.hex(8),
      vigil,
    });
    this.#loop = new Loop({
      clock,
      timers,
      scheduler: this.#scheduler,
      vigil,
      ring: (timer) => this.#targetAt(timer)?.ring(),
      beat: () => writer.beat(),
      onStall: (ms) => this.#stoodStill(ms),
      received: () => this.#receiver.received,
      afterReads,
    });
    this.#names = new Names(clock, resolver, {
      resolved: (id, addresses) => this.#resolved(id, addresses),
      unresolved: (id, why, isFirst) => this.#unresolved(id, why, isFirst),
    });
  }

  start(): void {
    this.#loop.start();
    this.#outbox.ready();
  }

  handle(message: Exclude<ToPinger, { type: 'stop' }>): void {
    switch (message.type) {
      case 'watch':
        for (const { slot, destination } of message.destinations) this.#watch(slot, destination);
        break;
      case 'unwatch':
        for (const slot of message.slots) this.#unwatch(slot);
        break;
      case 'files':
        this.#options.files.set(message.files);
        break;
      case 'probe':
        this.#prober.start(message);
        break;
      case 'cancel':
        this.#prober.cancel(message.id);
        break;
      default:
        message satisfies never;
    }
    this.#loop.wake();
  }

  close(): void {
    this.#loop.stop();
    this.#names.close();
    this.#prober.close();
    for (const target of this.#targets) target?.close();
    for (const wire of this.#wires.values()) wire.close();
  }

  #watch(slot: DestinationSlot, destination: Destination): void {
    const earlier = this.#watches.get(slot.index);
    const isSame = earlier?.slot.generation === slot.generation;
    const kept = isSame ? this.#detach(earlier) : this.#slots.adopt(slot);
    if (earlier !== undefined && !isSame) this.#unwatch(earlier.slot);
    const { settings } = destination;
    const { route } = settings.identity;
    const uri = parseUri(destination.uri, settings.transport);
    const hop = route === '' ? uri : parseUri(route, settings.transport);
    this.#options.writer.openDestination(slot);
    this.#watches.set(slot.index, {
      slot,
      destination,
      uri,
      hop,
      wire: transportOf(hop, settings.transport) ?? settings.transport,
      alive: this.#aliveCodesOf(settings.aliveCodes),
      targets: new Map(),
      kept,
      peers: isSame ? earlier.peers : new Map(),
      server: isSame ? earlier.server : '',
      serverDueMs: 0,
    });
    if (hop.hostKind === 'name') this.#watchName(slot.index, hop.host, kept);
    else
      this.#resolved(slot.index, [{ address: hop.host, family: hop.hostKind === 'ipv4' ? 4 : 6 }]);
  }

  /** What an earlier pinger resolved is pinged on until the name is looked up anew. */
  #watchName(id: number, name: string, kept: ReadonlyMap<string, TargetSlot>): void {
    const addresses = [...kept.keys()].map(addressOf);
    if (addresses.length > 0) this.#resolved(id, addresses);
    this.#names.add(id, name);
  }

  #unwatch(slot: DestinationSlot): void {
    const watch = this.#watches.get(slot.index);
    if (watch?.slot.generation !== slot.generation) return;
    for (const row of this.#detach(watch).values()) this.#slots.release(row);
    this.#watches.delete(slot.index);
    this.#outbox.forget(slot);
  }

  /** Stops the destination's pings and hands out the rows that its targets had. */
  #detach(watch: Watch): Map<string, TargetSlot> {
    this.#names.remove(watch.slot.index);
    const rows = new Map(watch.kept);
    for (const [address, target] of watch.targets) {
      this.#closeTarget(target);
      rows.set(address, target.slot);
    }
    return rows;
  }

  /** One address is pinged: the one that was, while the name still has it, else the first. */
  #resolved(id: number, addresses: readonly Address[]): void {
    const watch = this.#watches.get(id);
    if (watch === undefined) return;
    const { targets, kept, hop, wire, destination } = watch;
    const { ipProtocol } = destination.settings;
    const port = hop.port ?? DEFAULT_PORTS[wire];
    const endpoints = addresses
      .filter((address) => isWanted(address, ipProtocol))
      .map((address) => ({ ...address, port, domain: hop.host }));
    const labels = new Set([...targets.keys(), ...kept.keys()]);
    const chosen = endpoints.find((e) => labels.has(addressLabel(e))) ?? endpoints[0];
    if (chosen === undefined) {
      this.#unresolved(id, `it has no ${ipProtocol} address`, true);
      return;
    }
    this.#setTargets(watch, [chosen]);
    this.#loop.wake();
  }

  #unresolved(id: number, why: string, isFirst: boolean): void {
    const watch = this.#watches.get(id);
    if (watch === undefined) return;
    this.#outbox.log({
      level: isFirst ? 'warn' : 'debug',
      message: 'a name does not resolve',
      fields: { destination: watch.destination.name, host: watch.hop.host, error: why },
    });
    this.#judge.unresolved(watch);
  }

  #setTargets(watch: Watch, endpoints: readonly Endpoint[]): void {
    const wanted = new Map(endpoints.map((endpoint) => [addressLabel(endpoint), endpoint]));
    const before = [...watch.targets.keys()].join();
    for (const [address, target] of watch.targets) {
      if (wanted.has(address)) continue;
      watch.targets.delete(address);
      this.#closeTarget(target);
      this.#slots.release(target.slot);
      watch.peers.delete(target.slot.index);
    }
    for (const [address, endpoint] of wanted) {
      if (!watch.targets.has(address)) this.#openTarget(watch, address, endpoint);
    }
    for (const row of watch.kept.values()) this.#slots.release(row);
    watch.kept.clear();
    if ([...watch.targets.keys()].join() !== before) this.#announce(watch);
  }

  #openTarget(watch: Watch, address: string, endpoint: Endpoint): void {
    const { settings, name } = watch.destination;
    const slot = watch.kept.get(address) ?? this.#slots.take();
    if (slot === undefined) {
      this.#tellFull(watch, address);
      return;
    }
    watch.kept.delete(address);
    const target = new Target({
      slot,
      uri: watch.uri,
      settings,
      endpoint,
      wire: watch.wire,
      transport: this.#wireFor(watch.wire, settings),
      isForOnce: false,
      tools: this.#tools,
      user: new WatchedTarget(watch, slot, this.#watchedTools),
    });
    watch.targets.set(address, target);
    this.#targets[slot.index] = target;
    this.#scheduler.add(slot.index, `${name} ${address}`, settings.intervalMs);
  }

  #targetAt(slot: number): Target | undefined {
    return slot < LEDGER_CAPACITY ? this.#targets[slot] : this.#probed[slot - LEDGER_CAPACITY];
  }

  #closeTarget(target: Target): void {
    if (target.isBusy) this.#options.writer.addInFlight(-1);
    target.close();
    this.#scheduler.remove(target.slot.index);
    this.#targets[target.slot.index] = undefined;
  }

  readonly #ping = (index: number, latenessMs: number): void => {
    const { writer } = this.#options;
    writer.recordLateness(Math.round(latenessMs * 1000));
    writer.addInFlight(1);
    this.#targets[index]?.ping();
  };

  #done(slot: TargetSlot): void {
    this.#options.writer.addInFlight(-1);
    this.#loop.wakeBy(this.#scheduler.done(slot.index));
  }

  #stoodStill(ms: number): void {
    this.#options.writer.recordStall();
    if (ms < WORTH_A_WORD_MS) return;
    this.#outbox.log({
      level: 'warn',
      message: 'the pinger thread stood still; pings whose deadline passed meanwhile do not count',
      fields: { ms: Math.round(ms) },
    });
  }

  #announce(watch: Watch): void {
    const targets = [...watch.targets].map(([address, { slot, wire }]) => ({
      slot,
      transport: wire,
      address,
    }));
    this.#outbox.targets(watch.slot, targets);
  }

  #tellFull(watch: Watch, address: string): void {
    this.#outbox.log({
      level: 'error',
      message: 'too many targets; this one is not pinged',
      fields: { destination: watch.destination.name, address, most: LEDGER_CAPACITY },
    });
  }

  #wireFor(name: TransportName, settings: PingSettings): Transport {
    const key = wireKey(name, settings);
    const open = this.#wires.get(key);
    if (open !== undefined) return open;
    const wire = this.#options.openWire(name, settings, this.#receiver.take);
    this.#wires.set(key, wire);
    return wire;
  }

  /** Many destinations share few lists of codes. */
  #aliveCodesOf(text: string): AliveCodes {
    const known = this.#aliveCodes.get(text);
    if (known !== undefined) return known;
    const codes = parseAliveCodes(text);
    this.#aliveCodes.set(text, codes);
    return codes;
  }
}

/** As in the label `address`. */
function addressLabel({ address, port }: Endpoint): string {
  return `${bracketed(address)}:${port}`;
}

/** The address of such a label. */
function addressOf(label: string): Address {
  const address = label.slice(0, label.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');
  return { address, family: address.includes(':') ? 6 : 4 };
}
