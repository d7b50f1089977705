/** One search for the places of a URI: NAPTR records, SRV records, addresses (RFC 3263 4.1, 4.2). */

import type { TransportName } from '../../shared/outcome.js';
import type { ResolutionStep } from '../../shared/resolution.js';
import { DEFAULT_PORTS } from '../../shared/uri.js';
import { HostAddresses, type UnresolvedLocation } from './host-addresses.js';
import { hostNameProblem } from './host-name.js';
import { LocateReport } from './locate-report.js';
import type { LocateQuery, LocateTools, ServerLocation } from './location.js';
import type { LookupResult } from './lookup-cache.js';
import { preferred, transportOfService } from './preference.js';
import type { DnsRecord, NaptrRecord, RecordType, SrvRecord } from './records.js';

/** RFC 3263 4.1; there is none for WebSockets. */
const SRV_PREFIXES: Readonly<Partial<Record<TransportName, string>>> = {
  udp: '_sip._udp.',
  tcp: '_sip._tcp.',
  tls: '_sips._tcp.',
};

/** The wires whose SRV records are asked for where no NAPTR record chooses, in this order. */
const TRIED: readonly TransportName[] = ['udp', 'tcp', 'tls'];
/** NAPTR records of one name that are followed until one leads somewhere. */
const MAX_NAPTR = 8;
/** Names of hosts that are looked up in one search: for each place that is of use, and at least. */
const NAMES_PER_TARGET = 2;
const MIN_NAMES = 32;

const NO_SRV = { priority: undefined, weight: undefined } as const;

export class LocationSearch {
  readonly report = new LocateReport();
  readonly #query: LocateQuery;
  readonly #tools: LocateTools;
  readonly #addresses: HostAddresses;
  /** Look-ups that began before their answer was wanted, each by `TYPE NAME`. */
  readonly #early = new Map<string, Promise<LookupResult>>();
  /** Names of hosts that may still be looked up. */
  #namesLeft: number;

  constructor(query: LocateQuery, tools: LocateTools) {
    this.#query = query;
    this.#tools = tools;
    this.#namesLeft = Math.max(NAMES_PER_TARGET * query.maxTargets, MIN_NAMES);
    this.#addresses = new HostAddresses(query, tools, this.report);
  }

  /** The addresses of the host itself. */
  async locateHost(transport: TransportName): Promise<readonly ServerLocation[]> {
    const { uri } = this.#query;
    const port = uri.port ?? DEFAULT_PORTS[transport];
    return this.#addresses.locationsOf(uri.host, { transport, port, ...NO_SRV }, []);
  }

  /** RFC 3263 4.2: SRV records of one wire, else the host itself. */
  async locateService(transport: TransportName): Promise<readonly ServerLocation[]> {
    const prefix = SRV_PREFIXES[transport];
    if (prefix === undefined) return this.locateHost(transport);
    const found = await this.#srv(`${prefix}${this.#query.uri.host}`, transport, []);
    if (this.report.hasLocalError) return [];
    return found ?? this.locateHost(transport);
  }

  /**
   * RFC 3263 4.1: NAPTR records choose the wire; else SRV records do, the first that there are; else it
   * is the host itself. What is not answered is passed over, as phones do; what could not be asked for
   * by a fault of our own is not.
   */
  async locateAnyService(otherwise: TransportName): Promise<readonly ServerLocation[]> {
    const names = this.#srvNames();
    // All are asked for at once, so that a name without any does not take as many round trips.
    for (const [, name] of names) this.#early.set(`SRV ${name}`, this.#tools.lookUp(name, 'SRV'));
    for (const record of await this.#naptr()) {
      const locations = await this.#followNaptr(record);
      if (locations.length > 0) return locations;
      this.report.markFallback();
    }
    let hasSrv = false;
    for (const [transport, name] of names) {
      const locations = await this.#srv(name, transport, []);
      if (this.report.hasLocalError) return [];
      if (locations !== undefined && locations.length > 0) return locations;
      this.report.markFallback();
      hasSrv ||= locations !== undefined;
    }
    // RFC 2782: where SRV records lead nowhere, the host itself would be a guess.
    return hasSrv || this.report.hasLocalError ? [] : this.locateHost(otherwise);
  }

  /** Says so where there are SRV records, and the port is why they are not asked for. */
  async explainPort(transport: TransportName | undefined): Promise<void> {
    if (!this.report.isNegative) return;
    const names = this.#srvNames().filter(([one]) => transport === undefined || one === transport);
    const lookedUp = await Promise.all(names.map(([, name]) => this.#tools.lookUp(name, 'SRV')));
    const there = names.filter((_, i) => lookedUp[i]?.answer.kind === 'records');
    if (there.length === 0) return;
    const shown = there.map(([, name]) => name).join(' and ');
    this.report.addRemark(
      `SRV of ${shown} is there, and not used because the URI has a port (RFC 3263 4.2)`,
    );
  }

  #srvNames(): readonly (readonly [transport: TransportName, name: string])[] {
    const { uri } = this.#query;
    const transports = uri.scheme === 'sips' ? (['tls'] as const) : TRIED;
    return transports.map((transport) => [transport, `${SRV_PREFIXES[transport]}${uri.host}`]);
  }

  /** Those that we could follow, the one that the domain likes best first. */
  async #naptr(): Promise<readonly NaptrRecord[]> {
    const { uri } = this.#query;
    const lookedUp = await this.#ask(uri.host, 'NAPTR', []);
    const records = recordsOf(lookedUp)
      .filter((record): record is NaptrRecord => record.type === 'NAPTR')
      .filter(({ flags }) => flags === 's' || flags === 'a')
      .filter(({ service }) => transportOfService(service) !== undefined)
      .filter(({ service }) => uri.scheme === 'sip' || service.startsWith('SIPS'))
      .filter(({ service, replacement }) => {
        const fault = replacement === '' ? 'there is no replacement' : hostNameProblem(replacement);
        if (fault !== undefined)
          this.report.addUnusableRecord(`NAPTR ${service} of ${uri.host}: ${fault}`);
        return fault === undefined;
      });
    const best = preferred(records).slice(0, MAX_NAPTR);
    this.#cut(records, best, `NAPTR of ${uri.host}`);
    return best;
  }

  async #followNaptr(record: NaptrRecord): Promise<readonly ServerLocation[]> {
    const { service, replacement, order, preference, flags } = record;
    const transport = transportOfService(service);
    if (transport === undefined || this.report.hasLocalError) return [];
    const step: ResolutionStep = {
      ...{ type: 'NAPTR', name: this.#query.uri.host, value: `${service} ${replacement}` },
      ...{ order, preference, untilMs: this.report.expiresAtMs },
    };
    if (flags === 's') return (await this.#srv(replacement, transport, [step])) ?? [];
    return this.#addresses.locationsOf(
      replacement,
      { transport, port: DEFAULT_PORTS[transport], ...NO_SRV },
      [step],
    );
  }

  /** Undefined when there are no such records; empty when there is no such service. */
  async #srv(
    name: string,
    transport: TransportName,
    before: readonly ResolutionStep[],
  ): Promise<readonly ServerLocation[] | undefined> {
    const lookedUp = await this.#ask(name, 'SRV', before);
    if (lookedUp.answer.kind === 'failed') return undefined;
    const { expiresAtMs } = lookedUp;
    const usable = recordsOf(lookedUp)
      .filter((record): record is SrvRecord => record.type === 'SRV')
      .filter((record) => this.#isUsable(name, record));
    const records = this.#ofFewNames(usable);
    this.#cut(usable, records, `SRV of ${name}`);
    const locations = await Promise.all(
      records.map(({ target, port, priority, weight }) => {
        const value = `${target}:${port}`;
        const step: ResolutionStep = {
          type: 'SRV',
          name,
          value,
          priority,
          weight,
          untilMs: expiresAtMs,
        };
        const way: UnresolvedLocation = { transport, port, priority, weight };
        return this.#addresses.locationsOf(target, way, [...before, step]);
      }),
    );
    return locations.flat();
  }

  #isUsable(name: string, { target, port }: SrvRecord): boolean {
    if (target === '') {
      this.report.addDeniedService(
        name,
        'SRV',
        'its target is ".": there is no such service (RFC 2782)',
      );
      return false;
    }
    const portFault = port === 0 ? 'port 0, where nothing can listen' : undefined;
    const fault = hostNameProblem(target) ?? portFault;
    if (fault !== undefined)
      this.report.addUnusableRecord(`SRV of ${name} to ${target}:${port}: ${fault}`);
    return fault === undefined;
  }

  /** In the order of preference those that lead to no more names than may still be looked up. */
  #ofFewNames(records: readonly SrvRecord[]): readonly SrvRecord[] {
    const names = new Set<string>();
    return preferred(records).filter(({ target }) => {
      if (names.has(target)) return true;
      if (this.#namesLeft === 0) return false;
      this.#namesLeft--;
      names.add(target);
      return true;
    });
  }

  /** Says how many records are not followed. */
  #cut(all: readonly DnsRecord[], followed: readonly DnsRecord[], what: string): void {
    const cut = all.length - followed.length;
    if (cut === 0) return;
    this.report.addCut(cut, `${what}: ${all.length} records, of which ${cut} are not followed`);
    this.#tools.onCut(cut);
  }

  async #ask(
    name: string,
    type: RecordType,
    before: readonly ResolutionStep[],
  ): Promise<LookupResult> {
    const lookedUp = await (this.#early.get(`${type} ${name}`) ?? this.#tools.lookUp(name, type));
    this.report.addLookup(lookedUp, name, type, before);
    if (this.report.unanswered.has(`${type} ${name}`)) this.report.markMissing('service');
    return lookedUp;
  }
}

function recordsOf({ answer }: LookupResult): readonly DnsRecord[] {
  return answer.kind === 'records' ? answer.records : [];
}
