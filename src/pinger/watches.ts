/** Which destinations are watched, what they resolve to, and which targets they have. */

import { type AliveCodes, parseAliveCodes } from '../shared/alive-codes.js';
import type { Destination, DestinationSlot, TargetSlot } from '../shared/destination.js';
import { LEDGER_CAPACITY } from '../shared/ledger/cells.js';
import type { LedgerWriter } from '../shared/ledger/writer.js';
import type { ResolvedTargets } from '../shared/protocol.js';
import { bracketed, DEFAULT_PORTS, parseUri, transportOf } from '../shared/uri.js';
import { type Address, isWanted } from './addresses.js';
import type { Judge } from './judge.js';
import { Names } from './names.js';
import type { Outbox } from './outbox.js';
import type { Resolver } from './resolver.js';
import { TargetSlots } from './slots.js';
import { Target, type TargetTools } from './target.js';
import type { Targets } from './targets.js';
import type { Endpoint } from './transport/transport.js';
import type { Wires } from './transport/wires.js';
import type { Watch } from './watch.js';
import { WatchedTarget, type WatchedTargetTools } from './watched-target.js';

export interface WatchesOptions {
  readonly writer: LedgerWriter;
  /** What an earlier pinger resolved. */
  readonly known: readonly ResolvedTargets[];
  readonly resolver: Resolver;
  readonly tools: TargetTools;
  readonly targets: Targets;
  readonly wires: Wires;
  readonly judge: Judge;
  readonly outbox: Outbox;
  /** There may be something to do before the thread meant to wake. */
  readonly wake: () => void;
}

export class Watches {
  readonly #options: WatchesOptions;
  readonly #names: Names;
  readonly #slots: TargetSlots;
  readonly #watchedTools: WatchedTargetTools;
  /** By the index of their slot. */
  readonly #watches = new Map<number, Watch>();
  readonly #aliveCodes = new Map<string, AliveCodes>();

  constructor(options: WatchesOptions) {
    const { writer, known, resolver, tools, targets, judge } = options;
    this.#options = options;
    this.#slots = new TargetSlots(writer, known);
    this.#watchedTools = { judge, writer, done: ({ index }) => targets.done(index) };
    this.#names = new Names(tools.clock, resolver, {
      resolved: (id, addresses) => this.#resolved(id, addresses),
      unresolved: (id, why, isFirst) => this.#unresolved(id, why, isFirst),
    });
  }

  /** Watches the destination, or takes over its new settings. */
  add(slot: DestinationSlot, destination: Destination): void {
    const earlier = this.#watches.get(slot.index);
    const isSame = earlier?.slot.generation === slot.generation;
    const kept = isSame ? this.#detach(earlier) : this.#slots.adopt(slot);
    if (earlier !== undefined && !isSame) this.remove(earlier.slot);
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

  remove(slot: DestinationSlot): void {
    const watch = this.#watches.get(slot.index);
    if (watch?.slot.generation !== slot.generation) return;
    for (const row of this.#detach(watch).values()) this.#slots.release(row);
    this.#watches.delete(slot.index);
    this.#options.outbox.forget(slot);
  }

  close(): void {
    this.#names.close();
  }

  /** What an earlier pinger resolved is pinged on until the name is looked up anew. */
  #watchName(id: number, name: string, kept: ReadonlyMap<string, TargetSlot>): void {
    const addresses = [...kept.keys()].map(addressOf);
    if (addresses.length > 0) this.#resolved(id, addresses);
    this.#names.add(id, name);
  }

  /** Stops the destination's pings and hands out the rows that its targets had. */
  #detach(watch: Watch): Map<string, TargetSlot> {
    this.#names.remove(watch.slot.index);
    const rows = new Map(watch.kept);
    for (const [address, target] of watch.targets) {
      this.#options.targets.remove(target);
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
    this.#options.wake();
  }

  #unresolved(id: number, why: string, isFirst: boolean): void {
    const watch = this.#watches.get(id);
    if (watch === undefined) return;
    this.#options.outbox.log({
      level: isFirst ? 'warn' : 'debug',
      message: 'a name does not resolve',
      fields: { destination: watch.destination.name, host: watch.hop.host, error: why },
    });
    this.#options.judge.unresolved(watch);
  }

  #setTargets(watch: Watch, endpoints: readonly Endpoint[]): void {
    const wanted = new Map(endpoints.map((endpoint) => [addressLabel(endpoint), endpoint]));
    const before = [...watch.targets.keys()].join();
    for (const [address, target] of watch.targets) {
      if (wanted.has(address)) continue;
      watch.targets.delete(address);
      this.#options.targets.remove(target);
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
    const { targets, tools, wires } = this.#options;
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
      transport: wires.of(watch.wire, settings),
      isForOnce: false,
      tools,
      user: new WatchedTarget(watch, slot, this.#watchedTools),
    });
    watch.targets.set(address, target);
    targets.add(target, `${name} ${address}`, settings.intervalMs);
  }

  #announce(watch: Watch): void {
    const targets = [...watch.targets].map(([address, { slot, wire }]) => ({
      slot,
      transport: wire,
      address,
    }));
    this.#options.outbox.targets(watch.slot, targets);
  }

  #tellFull(watch: Watch, address: string): void {
    this.#options.outbox.log({
      level: 'error',
      message: 'too many targets; this one is not pinged',
      fields: { destination: watch.destination.name, address, most: LEDGER_CAPACITY },
    });
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
