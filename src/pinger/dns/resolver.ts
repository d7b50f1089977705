/**
 * Locates SIP servers (RFC 3263) with the hosts file, the search list, and the DNS servers of the settings
 * or of the system.
 */

import { getServers } from 'node:dns';
import type { Files } from '../../shared/file-contents.js';
import type { DnsSettings } from '../../shared/resolution.js';
import type { DebugLog } from '../debug/debug-log.js';
import type { Clock } from '../time/clock.js';
import { DnsClient } from './client.js';
import { type HostsTable, parseHosts } from './hosts.js';
import { type LocateResult, locate } from './locate.js';
import type { LocateQuery } from './location.js';
import { LookupCache, type LookupCounters, type LookupFunction } from './lookup-cache.js';
import type { Resolver } from './refresher.js';
import { DEFAULT_NDOTS, parseResolvConf, type ResolvConf, searchList } from './resolv-conf.js';
import { completedNames, locateFirst, type NameResult } from './search-list.js';
import { parseServer } from './server.js';

/** RFC 6761 6.3: used when the hosts file has no entry for localhost. */
const LOCALHOST: readonly string[] = ['127.0.0.1'];

/** Parsed contents of the files. */
interface DnsFiles {
  readonly hosts: HostsTable;
  readonly conf: ResolvConf;
}

export class DnsResolver implements Resolver {
  readonly #clock: Clock;
  readonly #settings: DnsSettings;
  readonly #files: Files;
  readonly #cache: LookupCache;
  readonly #counters: LookupCounters;
  #parsedFiles: DnsFiles | undefined;
  #filesVersion = -1;

  constructor(
    clock: Clock,
    files: Files,
    settings: DnsSettings,
    counters: LookupCounters,
    debug?: DebugLog,
  ) {
    this.#clock = clock;
    this.#counters = counters;
    this.#settings = settings;
    this.#files = files;
    const { timeoutMs } = settings;
    const client = new DnsClient({
      servers: () => this.#currentFiles().conf.servers,
      ...{ timeoutMs, clock },
      ...(debug === undefined ? {} : { debug }),
    });
    this.#cache = new LookupCache(
      clock,
      (name, type, host) => client.query(name, type, host),
      counters,
    );
  }

  async locate(query: LocateQuery): Promise<LocateResult> {
    const { host } = query.uri;
    const clock = this.#clock;
    const hosts = this.#hostsFor(host);
    const cachedLookUp = this.#cache.forRequester(host);
    const onCut = (count: number) => this.#counters.recordRecordsCut(count);
    const names = hosts.has(host) ? [host] : completedNames(host, this.#currentFiles().conf);
    return locateFirst(host, names, async (name): Promise<NameResult> => {
      let hasRecords = false;
      const lookUp: LookupFunction = async (...question) => {
        const result = await cachedLookUp(...question);
        hasRecords ||= result.answer.kind === 'records';
        return result;
      };
      const uri = { ...query.uri, host: name };
      const result = await locate({ ...query, uri }, { lookUp, hosts, clock, onCut });
      return { result, hasRecords };
    });
  }

  /** RFC 6761 6.3: names below localhost have the addresses of localhost. */
  #hostsFor(host: string): HostsTable {
    const { hosts } = this.#currentFiles();
    const isBelow = host.endsWith('.localhost') && !hosts.has(host);
    return isBelow ? new Map([[host, hosts.get('localhost') ?? LOCALHOST]]) : hosts;
  }

  #currentFiles(): DnsFiles {
    if (this.#parsedFiles !== undefined && this.#filesVersion === this.#files.version) {
      return this.#parsedFiles;
    }
    this.#filesVersion = this.#files.version;
    const text = this.#text(this.#settings.hostsFile) ?? '';
    const hosts = new Map([['localhost', LOCALHOST], ...parseHosts(text)]);
    this.#parsedFiles = { hosts, conf: this.#conf() };
    return this.#parsedFiles;
  }

  #conf(): ResolvConf {
    const { servers, resolvConf, search } = this.#settings;
    const text = servers.length > 0 ? undefined : this.#text(resolvConf);
    // On systems without resolv.conf, Node.js knows the servers of the system.
    const conf =
      text === undefined
        ? { servers: (servers.length > 0 ? servers : getServers()).map(parseServer), search: [] }
        : parseResolvConf(text);
    return {
      ndots: DEFAULT_NDOTS,
      ...conf,
      ...(search.length > 0 ? { search: searchList(search) } : {}),
    };
  }

  #text(path: string): string | undefined {
    return this.#files.has(path) ? this.#files.text(path) : undefined;
  }
}
