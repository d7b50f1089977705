/**
 * The resolver: the hosts file, the DNS servers of the settings or of the system, the search list, and
 * RFC 3263's way through them.
 */

import { getServers } from 'node:dns';
import type { Files } from '../../shared/file-contents.js';
import type { DnsSettings } from '../../shared/resolution.js';
import type { Clock } from '../time/clock.js';
import { DnsClient } from './client.js';
import { type HostsTable, parseHosts } from './hosts.js';
import { type LocateResult, locate } from './locate.js';
import type { LocateQuery } from './location.js';
import { LookupCache, type LookupCounters, type LookupFunction } from './lookup-cache.js';
import type { Resolver } from './refresher.js';
import { parseResolvConf, type ResolvConf, searchList, USUAL_NDOTS } from './resolv-conf.js';
import { completedNames, locateFirst, type NameResult } from './search-list.js';
import { serverOf } from './server.js';

/** RFC 6761 6.3: where the hosts file does not say where it is. */
const LOCALHOST: readonly string[] = ['127.0.0.1'];

/** What the files say that are read again when they change. */
interface FromFiles {
  readonly hosts: HostsTable;
  readonly conf: ResolvConf;
}

export class DnsResolver implements Resolver {
  readonly #clock: Clock;
  readonly #settings: DnsSettings;
  readonly #files: Files;
  readonly #lookups: LookupCache;
  readonly #meter: LookupCounters;
  #fromFiles: FromFiles | undefined;
  #filesVersion = -1;

  constructor(clock: Clock, files: Files, settings: DnsSettings, meter: LookupCounters) {
    this.#clock = clock;
    this.#meter = meter;
    this.#settings = settings;
    this.#files = files;
    const { timeoutMs } = settings;
    const client = new DnsClient({ servers: () => this.#now().conf.servers, timeoutMs, clock });
    this.#lookups = new LookupCache(clock, (name, type) => client.query(name, type), meter);
  }

  async locate(query: LocateQuery): Promise<LocateResult> {
    const { host } = query.uri;
    const clock = this.#clock;
    const hosts = this.#hostsFor(host);
    const lookUpFor = this.#lookups.forRequester(host);
    const onCut = (count: number) => this.#meter.recordRecordsCut(count);
    const names = hosts.has(host) ? [host] : completedNames(host, this.#now().conf);
    return locateFirst(host, names, async (name): Promise<NameResult> => {
      let isThere = false;
      const lookUp: LookupFunction = async (...asked) => {
        const lookedUp = await lookUpFor(...asked);
        isThere ||= lookedUp.answer.kind === 'records';
        return lookedUp;
      };
      const uri = { ...query.uri, host: name };
      const result = await locate({ ...query, uri }, { lookUp, hosts, clock, onCut });
      return { result, hasRecords: isThere };
    });
  }

  /** RFC 6761 6.3: what is below localhost is where that is. */
  #hostsFor(host: string): HostsTable {
    const { hosts } = this.#now();
    const isBelow = host.endsWith('.localhost') && !hosts.has(host);
    return isBelow ? new Map([[host, hosts.get('localhost') ?? LOCALHOST]]) : hosts;
  }

  #now(): FromFiles {
    if (this.#fromFiles !== undefined && this.#filesVersion === this.#files.version) {
      return this.#fromFiles;
    }
    this.#filesVersion = this.#files.version;
    const text = this.#text(this.#settings.hostsFile) ?? '';
    const hosts = new Map([['localhost', LOCALHOST], ...parseHosts(text)]);
    this.#fromFiles = { hosts, conf: this.#conf() };
    return this.#fromFiles;
  }

  #conf(): ResolvConf {
    const { servers, resolvConf, search } = this.#settings;
    const text = servers.length > 0 ? undefined : this.#text(resolvConf);
    // Systems without such a file have their own way to say it.
    const conf =
      text === undefined
        ? { servers: (servers.length > 0 ? servers : getServers()).map(serverOf), search: [] }
        : parseResolvConf(text);
    return {
      ndots: USUAL_NDOTS,
      ...conf,
      ...(search.length > 0 ? { search: searchList(search) } : {}),
    };
  }

  #text(path: string): string | undefined {
    return this.#files.has(path) ? this.#files.text(path) : undefined;
  }
}
