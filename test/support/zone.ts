/** Zones as lines of a test, and the location of servers in them. */

import type { HostsTable } from '../../src/pinger/dns/hosts.js';
import { type LocateResult, locate, locateQuery } from '../../src/pinger/dns/locate.js';
import type { ServerLocation } from '../../src/pinger/dns/location.js';
import type { LookupFunction, LookupResult } from '../../src/pinger/dns/lookup-cache.js';
import type { DnsRecord, RecordType } from '../../src/pinger/dns/records.js';
import type { PingSettings } from '../../src/shared/destination.js';
import type { ResolutionFailure } from '../../src/shared/resolution.js';
import { parseUri } from '../../src/shared/uri.js';
import { FakeClock } from './fake-clock.js';
import { settings } from './settings.js';

/**
 * @param lines records, each as `NAME TYPE DATA`, or `NAME TYPE !reason` for a lookup that fails.
 * @param queries gets each lookup, as `TYPE NAME`.
 */
export function zone(lines: readonly string[], queries: string[] = []): LookupFunction {
  return async (name, type): Promise<LookupResult> => {
    queries.push(`${type} ${name}`);
    const mine = lines.filter((line) => line.startsWith(`${name} ${type} `));
    const data = mine.map((line) => line.split(' ').slice(2));
    const failure = data.find(([first]) => first?.startsWith('!'))?.[0]?.slice(1);
    if (failure !== undefined || data.length === 0) {
      const reason = (failure ?? 'nodata') as ResolutionFailure;
      return { answer: { kind: 'failed', reason, detail: '' }, expiresAtMs: 0 };
    }
    const records = data.map((fields) => recordOf(type, fields));
    return { answer: { kind: 'records', records, ttlSeconds: 60 }, expiresAtMs: 60_000 };
  };
}

function recordOf(type: RecordType, fields: readonly string[]): DnsRecord {
  const [a = '', b = '', c = '', d = '', e = ''] = fields;
  const ttlSeconds = 60;
  if (type === 'A' || type === 'AAAA') return { type, address: a, ttlSeconds };
  if (type === 'SRV') {
    const target = d === '.' ? '' : d;
    return { type, priority: Number(a), weight: Number(b), port: Number(c), target, ttlSeconds };
  }
  const numbers = { order: Number(a), preference: Number(b) };
  return { type, ...numbers, flags: c, service: d, replacement: e, ttlSeconds };
}

/** Filled in by a search, for the test. */
export interface SearchTrace {
  clock?: FakeClock;
  /** Records that were not followed. */
  cut?: number;
}

export interface SearchOptions {
  readonly change?: Partial<Omit<PingSettings, 'identity' | 'tls'>>;
  readonly hosts?: HostsTable;
  readonly trace?: SearchTrace;
}

/** The locations of the URI in the zone of these lines. */
export async function search(
  uri: string,
  lines: readonly string[] | LookupFunction,
  { change = {}, hosts = new Map(), trace = {} }: SearchOptions = {},
): Promise<LocateResult> {
  const all = settings(change);
  trace.clock = new FakeClock();
  trace.cut = 0;
  return locate(locateQuery(parseUri(uri, all.transport), all), {
    lookUp: typeof lines === 'function' ? lines : zone(lines),
    hosts,
    clock: trace.clock,
    onCut: (count) => {
      trace.cut = (trace.cut ?? 0) + count;
    },
  });
}

/** `udp 192.0.2.1 5060`, with priority and weight of an SRV record. */
export const shown = ({ transport, address, port, priority, weight }: ServerLocation): string =>
  [transport, address, port, ...(priority === undefined ? [] : [`${priority}/${weight}`])].join(
    ' ',
  );

export function locationsOf(result: LocateResult): readonly string[] {
  return result.kind === 'located' ? result.locations.map(shown) : [result.detail];
}
