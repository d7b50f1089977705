/**
 * From a SIP URI to the places where it is served (RFC 3263 4): which wire, which addresses, which
 * ports, and how each was found.
 */

import { bracketed } from '../../shared/address.js';
import type { IpProtocol } from '../../shared/destination.js';
import type { TransportChoice, TransportName } from '../../shared/outcome.js';
import type { ResolutionFailure, ResolutionStep } from '../../shared/resolution.js';
import { DEFAULT_PORTS, type SipUri, transportOf } from '../../shared/uri.js';
import { type Address, isWanted } from '../addresses.js';
import type { LookedUp, LookUp } from './lookups.js';
import { isCertain, type NaptrRecord, type RecordType, type SrvRecord } from './records.js';

/** A place where a URI is served. */
export interface Place {
  readonly wire: TransportName;
  readonly address: string;
  readonly family: 4 | 6;
  readonly port: number;
  /** Of the SRV record that led here (RFC 2782); undefined without one. */
  readonly priority: number | undefined;
  readonly weight: number | undefined;
  /** The records that led here, the first one first. */
  readonly steps: readonly ResolutionStep[];
}

export interface Located {
  readonly kind: 'located';
  /** In the order in which a client would try them, weights apart; at least one. */
  readonly places: readonly Place[];
  /** Monotonic: until then all that it rests on holds. */
  readonly untilMs: number;
  /** A look-up on the way failed so that there may be more places; undefined when none did. */
  readonly doubt: Doubt | undefined;
  /** Look-ups that failed where there should have been something, in words. */
  readonly troubles: readonly string[];
}

export interface Unlocated extends Doubt {
  readonly kind: 'failed';
  readonly troubles: readonly string[];
}

/** What could not be learnt. */
export interface Doubt {
  readonly reason: ResolutionFailure;
  readonly why: string;
}

export type Location = Located | Unlocated;

export interface Sought {
  readonly uri: SipUri;
  /** The wire where the URI names none; `auto` for what DNS says, UDP where that says nothing. */
  readonly transport: TransportChoice;
  readonly ipProtocol: IpProtocol;
}

/** NAPTR services (RFC 3263 4.1, RFC 7118 9.3) and the wires that they stand for. */
const SERVICES: ReadonlyMap<string, TransportName> = new Map([
  ['SIP+D2U', 'udp'],
  ['SIP+D2T', 'tcp'],
  ['SIPS+D2T', 'tls'],
  ['SIP+D2W', 'ws'],
  ['SIPS+D2W', 'wss'],
]);

/** RFC 3263 4.1; there is none for WebSockets. */
const SRV_PREFIXES: Readonly<Partial<Record<TransportName, string>>> = {
  udp: '_sip._udp.',
  tcp: '_sip._tcp.',
  tls: '_sips._tcp.',
};

/** The wires whose SRV records are asked for where no NAPTR record chooses, in this order. */
const TRIED: readonly TransportName[] = ['udp', 'tcp', 'tls'];

/** What was learnt on the way: how long it holds, and what could not be learnt. */
class Findings {
  untilMs = Number.POSITIVE_INFINITY;
  /** A look-up failed so that it is not known whether there are records. */
  isUnknown = false;
  /** The weightiest failure: what leaves something unknown, else what another record led to. */
  failure: Doubt = { reason: 'nodata', why: 'there is no such record' };
  #weight = 0;
  /** Failures that something else led past, or did not. */
  readonly troubles: string[] = [];

  /** @param isExpected whether there should be such a record, because another one points there. */
  take({ answer, untilMs }: LookedUp, name: string, type: RecordType, isExpected = false): void {
    if (answer.kind === 'records') {
      this.untilMs = Math.min(this.untilMs, untilMs);
      return;
    }
    const isUnknown = !isCertain(answer.reason);
    const detail = answer.detail === '' ? '' : `, ${answer.detail}`;
    const why = `${type} of ${name}: ${answer.reason}${detail}`;
    if (isUnknown || isExpected) this.troubles.push(why);
    this.isUnknown ||= isUnknown;
    const weight = isUnknown ? 3 : isExpected ? 2 : 1;
    // Of equal ones the last counts: it is that of the host itself.
    if (weight < this.#weight) return;
    this.#weight = weight;
    this.failure = { reason: answer.reason, why };
  }
}

const NO_STEPS: readonly ResolutionStep[] = [];

/** Where a numeric host is: where it says. Undefined for a name. */
export function numericPlace({ uri, transport }: Sought): Place | undefined {
  if (uri.hostKind === 'name') return undefined;
  const wire = transportOf(uri, transport) ?? 'udp';
  const family = uri.hostKind === 'ipv4' ? 4 : 6;
  const port = uri.port ?? DEFAULT_PORTS[wire];
  // Written out: see `Roster`'s entries.
  return {
    wire,
    address: uri.host,
    family,
    port,
    priority: undefined,
    weight: undefined,
    steps: NO_STEPS,
  };
}

/** Where a name is served. Never rejects. */
export async function locate(
  { uri, transport, ipProtocol }: Sought,
  lookUp: LookUp,
  hosts: ReadonlyMap<string, readonly Address[]>,
): Promise<Location> {
  const search = new Search(uri, ipProtocol, lookUp, hosts);
  const named = uri.params.some(([name]) => name === 'transport');
  const isChosen = named || transport !== 'auto';
  const wire = transportOf(uri, transport) ?? 'udp';
  // RFC 3263 4.2: a port says that no SRV record is wanted; whoever writes a name into the hosts
  // file wants that address.
  if (uri.port !== undefined || hosts.has(uri.host)) {
    return search.done(await search.hostOf(wire));
  }
  return search.done(isChosen ? await search.serviceOf(wire) : await search.anyService(wire));
}

class Search {
  readonly #uri: SipUri;
  readonly #ipProtocol: IpProtocol;
  readonly #lookUp: LookUp;
  readonly #hosts: ReadonlyMap<string, readonly Address[]>;
  readonly #findings = new Findings();

  constructor(
    uri: SipUri,
    ipProtocol: IpProtocol,
    lookUp: LookUp,
    hosts: ReadonlyMap<string, readonly Address[]>,
  ) {
    this.#uri = uri;
    this.#ipProtocol = ipProtocol;
    this.#lookUp = lookUp;
    this.#hosts = hosts;
  }

  done(places: readonly Place[]): Location {
    const { untilMs, failure, isUnknown, troubles } = this.#findings;
    if (places.length === 0) return { kind: 'failed', ...failure, troubles };
    const doubt = isUnknown ? failure : undefined;
    return { kind: 'located', places: withoutDoubles(places), untilMs, doubt, troubles };
  }

  /** The addresses of the host itself. */
  async hostOf(wire: TransportName): Promise<readonly Place[]> {
    const port = this.#uri.port ?? DEFAULT_PORTS[wire];
    return this.#addressesOf(
      this.#uri.host,
      { wire, port, priority: undefined, weight: undefined },
      [],
    );
  }

  /** RFC 3263 4.2: SRV records of one wire, else the host itself. */
  async serviceOf(wire: TransportName): Promise<readonly Place[]> {
    const prefix = SRV_PREFIXES[wire];
    if (prefix === undefined) return this.hostOf(wire);
    const found = await this.#srv(`${prefix}${this.#uri.host}`, wire, []);
    return found ?? this.hostOf(wire);
  }

  /** RFC 3263 4.1: NAPTR records choose the wire; else SRV records do, the first that there are. */
  async anyService(otherwise: TransportName): Promise<readonly Place[]> {
    for (const record of await this.#naptr()) {
      const wire = SERVICES.get(record.service);
      if (wire === undefined) continue;
      const step: ResolutionStep = {
        ...{
          type: 'NAPTR',
          name: this.#uri.host,
          value: `${record.service} ${record.replacement}`,
        },
        ...{ order: record.order, preference: record.preference },
        untilMs: this.#findings.untilMs,
      };
      const places =
        record.flags === 'a'
          ? await this.#addressesOf(
              record.replacement,
              { wire, port: DEFAULT_PORTS[wire], priority: undefined, weight: undefined },
              [step],
            )
          : await this.#srv(record.replacement, wire, [step]);
      if (places !== undefined && places.length > 0) return places;
    }
    const wires = this.#uri.scheme === 'sips' ? (['tls'] as const) : TRIED;
    const names = wires.map((wire) => [wire, `${SRV_PREFIXES[wire]}${this.#uri.host}`] as const);
    // All are asked for at once, so that a name without any does not take as many round trips.
    for (const [, name] of names) void this.#lookUp(name, 'SRV');
    let hasSrv = false;
    for (const [wire, name] of names) {
      const places = await this.#srv(name, wire, []);
      if (places !== undefined && places.length > 0) return places;
      hasSrv ||= places !== undefined;
    }
    // Where SRV records lead nowhere, and while it is unknown whether there are any, the host itself
    // would be a guess.
    return hasSrv || this.#findings.isUnknown ? [] : this.hostOf(otherwise);
  }

  /** Those that we could follow, the one that the domain likes best first. */
  async #naptr(): Promise<readonly NaptrRecord[]> {
    const lookedUp = await this.#lookUp(this.#uri.host, 'NAPTR');
    this.#findings.take(lookedUp, this.#uri.host, 'NAPTR');
    const { answer } = lookedUp;
    const records = answer.kind === 'records' ? answer.records : [];
    return records
      .filter((record): record is NaptrRecord => record.type === 'NAPTR')
      .filter(({ flags }) => flags === 's' || flags === 'a')
      .filter(({ service }) => this.#uri.scheme === 'sip' || service.startsWith('SIPS'))
      .sort((a, b) => a.order - b.order || a.preference - b.preference);
  }

  /** Undefined when there are no such records; empty when there is no such service. */
  async #srv(
    name: string,
    wire: TransportName,
    before: readonly ResolutionStep[],
  ): Promise<readonly Place[] | undefined> {
    const lookedUp = await this.#lookUp(name, 'SRV');
    this.#findings.take(lookedUp, name, 'SRV');
    const { answer, untilMs } = lookedUp;
    if (answer.kind === 'failed') return undefined;
    const records = answer.records
      .filter((record): record is SrvRecord => record.type === 'SRV')
      // RFC 2782: a target of "." says that there is no such service.
      .filter(({ target }) => target !== '')
      .sort((a, b) => a.priority - b.priority || b.weight - a.weight);
    const places = await Promise.all(
      records.map(({ target, port, priority, weight }) => {
        const value = `${target}:${port}`;
        const step: ResolutionStep = { type: 'SRV', name, value, priority, weight, untilMs };
        return this.#addressesOf(target, { wire, port, priority, weight }, [...before, step]);
      }),
    );
    return places.flat();
  }

  /** RFC 7984 4: both families, of whichever there are. */
  async #addressesOf(
    host: string,
    place: Pick<Place, 'wire' | 'port' | 'priority' | 'weight'>,
    before: readonly ResolutionStep[],
  ): Promise<readonly Place[]> {
    const listed = this.#hosts.get(host);
    if (listed !== undefined) {
      // The file may change at any time, and costs nothing to look into.
      this.#findings.untilMs = 0;
      return listed
        .filter((address) => isWanted(address, this.#ipProtocol))
        .map(({ address, family }) => {
          const untilMs = Number.POSITIVE_INFINITY;
          const step: ResolutionStep = { type: 'hosts', name: host, value: address, untilMs };
          return { ...place, address, family, steps: [...before, step] };
        });
    }
    const types = (['A', 'AAAA'] as const).filter((type) =>
      isWanted({ address: '', family: type === 'A' ? 4 : 6 }, this.#ipProtocol),
    );
    const found = await Promise.all(types.map((type) => this.#lookUp(host, type)));
    const isFound = found.some(({ answer }) => answer.kind === 'records');
    return found.flatMap((lookedUp, i) => {
      const type = types[i] ?? 'A';
      const { answer, untilMs } = lookedUp;
      // AAAA that fails is common, and says nothing where A is answered.
      const isHarmless =
        isFound && (type === 'AAAA' || (answer.kind === 'failed' && isCertain(answer.reason)));
      if (answer.kind === 'failed') {
        if (!isHarmless) this.#findings.take(lookedUp, host, type, before.length > 0);
        return [];
      }
      this.#findings.take(lookedUp, host, type);
      return answer.records.flatMap((record) => {
        if (record.type !== 'A' && record.type !== 'AAAA') return [];
        const step: ResolutionStep = { type, name: host, value: record.address, untilMs };
        const family = record.type === 'A' ? (4 as const) : (6 as const);
        return [{ ...place, address: record.address, family, steps: [...before, step] }];
      });
    });
  }
}

/** Several names may lead to one address and port: it is one target, found by the first of them. */
function withoutDoubles(places: readonly Place[]): readonly Place[] {
  const byLabel = new Map<string, Place>();
  for (const place of places) {
    const label = `${place.wire} ${bracketed(place.address)}:${place.port}`;
    if (!byLabel.has(label)) byLabel.set(label, place);
  }
  return [...byLabel.values()];
}
