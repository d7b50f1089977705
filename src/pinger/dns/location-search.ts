/** One search for the locations of a URI: NAPTR records, SRV records, addresses (RFC 3263 4.1, 4.2). */

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

/** Prefixes of SRV names (RFC 3263 4.1); WebSocket has none. */
const SRV_PREFIXES: Readonly<Partial<Record<TransportName, string>>> = {
  udp: '_sip._udp.',
  tcp: '_sip._tcp.',
  tls: '_sips._tcp.',
};

/** Transports whose SRV records are looked up when no NAPTR record selects one, in this order. */
const SRV_ORDER: readonly TransportName[] = ['udp', 'tcp', 'tls'];
/** Maximum number of NAPTR records that are followed until one leads to a location. */
const MAX_NAPTR = 8;
/** Maximum number of host names per search, for each target that the destination may have. */
const NAMES_PER_TARGET = 2;
const MIN_NAMES = 32;

const NO_SRV = { priority: undefined, weight: undefined } as const;

export class LocationSearch {
  readonly report = new LocateReport();
  readonly #query: LocateQuery;
  readonly #tools: LocateTools;
  readonly #addresses: HostAddresses;
  /** Lookups that were started in advance, by `TYPE NAME`. */
  readonly #started = new Map<string, Promise<LookupResult>>();
  /** Host names that this search may still look up. */
  #namesLeft: number;

  constructor(query: LocateQuery, tools: LocateTools) {
    this.#query = query;
    this.#tools = tools;
    this.#namesLeft = Math.max(NAMES_PER_TARGET * query.maxTargets, MIN_NAMES);
    this.#addresses = new HostAddresses(query, tools, this.report);
  }

  /** Locates by the addresses of the host itself. */
  async locateHost(transport: TransportName): Promise<readonly ServerLocation[]> {
    const { uri } = this.#query;
    const port = uri.port ?? DEFAULT_PORTS[transport];
    return this.#addresses.locationsOf(uri.host, {
      ...{ transport, port, ...NO_SRV, previousSteps: [] },
    });
  }

  /** Locates by the SRV records of one transport, otherwise by the host itself (RFC 3263 4.2). */
  async locateService(transport: TransportName): Promise<readonly ServerLocation[]> {
    const prefix = SRV_PREFIXES[transport];
    if (prefix === undefined) return this.locateHost(transport);
    const bySrv = await this.#locateBySrv(`${prefix}${this.#query.uri.host}`, transport, []);
    if (this.report.hasLocalError) return [];
    return bySrv ?? this.locateHost(transport);
  }

  /**
   * Locates by NAPTR records, which select the transport; without them by the first existing SRV records;
   * without those by the host itself (RFC 3263 4.1). An unanswered lookup counts as absent, as in SIP
   * phones. A local error ends the search.
   */
  async locateAnyService(defaultTransport: TransportName): Promise<readonly ServerLocation[]> {
    const names = this.#srvNames();
    // In parallel, which saves round trips for a name that has none of these records.
    for (const [, name] of names) this.#started.set(`SRV ${name}`, this.#tools.lookUp(name, 'SRV'));
    for (const record of await this.#naptrRecords()) {
      const locations = await this.#locateByNaptr(record);
      if (locations.length > 0) return locations;
      this.report.markFallback();
    }
    let hasSrv = false;
    for (const [transport, name] of names) {
      const locations = await this.#locateBySrv(name, transport, []);
      if (this.report.hasLocalError) return [];
      if (locations !== undefined && locations.length > 0) return locations;
      this.report.markFallback();
      hasSrv ||= locations !== undefined;
    }
    // RFC 2782: if SRV records exist, the host itself is not used instead.
    return hasSrv || this.report.hasLocalError ? [] : this.locateHost(defaultTransport);
  }

  /** Reports SRV records that exist but are not used because the URI has a port. */
  async explainPort(transport: TransportName | undefined): Promise<void> {
    if (!this.report.isNegative) return;
    const names = this.#srvNames().filter(([one]) => transport === undefined || one === transport);
    const results = await Promise.all(names.map(([, name]) => this.#tools.lookUp(name, 'SRV')));
    const existing = names.filter((_, i) => results[i]?.answer.kind === 'records');
    if (existing.length === 0) return;
    const text = existing.map(([, name]) => name).join(' and ');
    this.report.addRemark(
      `SRV of ${text} exists but is not used, because the URI has a port (RFC 3263 4.2)`,
    );
  }

  #srvNames(): readonly (readonly [transport: TransportName, name: string])[] {
    const { uri } = this.#query;
    const transports = uri.scheme === 'sips' ? (['tls'] as const) : SRV_ORDER;
    return transports.map((transport) => [transport, `${SRV_PREFIXES[transport]}${uri.host}`]);
  }

  /** The usable NAPTR records in the domain's order of preference. */
  async #naptrRecords(): Promise<readonly NaptrRecord[]> {
    const { uri } = this.#query;
    const result = await this.#lookUp(uri.host, 'NAPTR', []);
    const usable = recordsOf(result)
      .filter((record): record is NaptrRecord => record.type === 'NAPTR')
      .filter(({ flags }) => flags === 's' || flags === 'a')
      .filter(({ service }) => transportOfService(service) !== undefined)
      .filter(({ service }) => uri.scheme === 'sip' || service.startsWith('SIPS'))
      .filter((record) => this.#isUsableNaptr(record));
    const used = preferred(usable).slice(0, MAX_NAPTR);
    this.#reportCut(usable, used, `NAPTR of ${uri.host}`);
    return used;
  }

  #isUsableNaptr({ service, replacement }: NaptrRecord): boolean {
    const problem = replacement === '' ? 'the replacement is empty' : hostNameProblem(replacement);
    if (problem === undefined) return true;
    this.report.addUnusableRecord(`NAPTR ${service} of ${this.#query.uri.host}: ${problem}`);
    return false;
  }

  async #locateByNaptr(record: NaptrRecord): Promise<readonly ServerLocation[]> {
    const { service, replacement, order, preference, flags } = record;
    const transport = transportOfService(service);
    if (transport === undefined || this.report.hasLocalError) return [];
    const step: ResolutionStep = {
      ...{ type: 'NAPTR', name: this.#query.uri.host, value: `${service} ${replacement}` },
      ...{ order, preference, untilMs: this.report.expiresAtMs },
    };
    if (flags === 's') return (await this.#locateBySrv(replacement, transport, [step])) ?? [];
    const port = DEFAULT_PORTS[transport];
    return this.#addresses.locationsOf(replacement, {
      ...{ transport, port, ...NO_SRV, previousSteps: [step] },
    });
  }

  /** Undefined when there are no such records; empty when they lead to no location. */
  async #locateBySrv(
    name: string,
    transport: TransportName,
    previousSteps: readonly ResolutionStep[],
  ): Promise<readonly ServerLocation[] | undefined> {
    const result = await this.#lookUp(name, 'SRV', previousSteps);
    if (result.answer.kind === 'failed') return undefined;
    const usable = recordsOf(result)
      .filter((record): record is SrvRecord => record.type === 'SRV')
      .filter((record) => this.#isUsableSrv(name, record));
    const used = this.#withinNameLimit(usable);
    this.#reportCut(usable, used, `SRV of ${name}`);
    const locations = await Promise.all(
      used.map(({ target, port, priority, weight }) => {
        const value = `${target}:${port}`;
        const step: ResolutionStep = {
          ...{ type: 'SRV', name, value, priority, weight, untilMs: result.expiresAtMs },
        };
        const unresolved: UnresolvedLocation = {
          ...{ transport, port, priority, weight, previousSteps: [...previousSteps, step] },
        };
        return this.#addresses.locationsOf(target, unresolved);
      }),
    );
    return locations.flat();
  }

  #isUsableSrv(name: string, { target, port }: SrvRecord): boolean {
    if (target === '') {
      const detail = 'target "." means that the service is not offered (RFC 2782)';
      this.report.addDeniedService(name, 'SRV', detail);
      return false;
    }
    const problem = hostNameProblem(target) ?? (port === 0 ? 'port 0 cannot be used' : undefined);
    if (problem === undefined) return true;
    this.report.addUnusableRecord(`SRV of ${name} to ${target}:${port}: ${problem}`);
    return false;
  }

  /** The most preferred records, limited by the number of host names that this search may look up. */
  #withinNameLimit(records: readonly SrvRecord[]): readonly SrvRecord[] {
    const names = new Set<string>();
    return preferred(records).filter(({ target }) => {
      if (names.has(target)) return true;
      if (this.#namesLeft === 0) return false;
      this.#namesLeft--;
      names.add(target);
      return true;
    });
  }

  #reportCut(all: readonly DnsRecord[], used: readonly DnsRecord[], what: string): void {
    const cut = all.length - used.length;
    if (cut === 0) return;
    this.report.addCut(cut, what, all.length);
    this.#tools.onCut(cut);
  }

  async #lookUp(
    name: string,
    type: RecordType,
    previousSteps: readonly ResolutionStep[],
  ): Promise<LookupResult> {
    const question = `${type} ${name}`;
    const result = await (this.#started.get(question) ?? this.#tools.lookUp(name, type));
    this.report.addLookup(result, name, type, previousSteps);
    if (this.report.unanswered.has(question)) this.report.markMissing('service');
    return result;
  }
}

function recordsOf({ answer }: LookupResult): readonly DnsRecord[] {
  return answer.kind === 'records' ? answer.records : [];
}
