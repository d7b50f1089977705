/** The resolver: the hosts file, the DNS, and RFC 3263's way through them. */

import { getServers } from 'node:dns';
import type { DnsSettings } from '../../shared/resolution.js';
import type { Address } from '../addresses.js';
import type { Clock } from '../clock.js';
import type { Files } from '../files.js';
import { DnsClient, type DnsServer } from './client.js';
import { parseHosts } from './hosts.js';
import { type Location, locate, type Sought } from './locate.js';
import { Lookups } from './lookups.js';
import type { Resolver } from './names.js';

const DNS_PORT = 53;
/** RFC 6761 6.3: where the hosts file does not say where it is. */
const LOCALHOST: readonly Address[] = [{ address: '127.0.0.1', family: 4 }];

export class DnsResolver implements Resolver {
  readonly #hostsFile: string;
  readonly #files: Files;
  readonly #lookups: Lookups;
  #hosts: ReadonlyMap<string, readonly Address[]> = new Map();
  #hostsVersion = -1;

  constructor(clock: Clock, files: Files, settings: DnsSettings) {
    const { servers, timeoutMs, hostsFile } = settings;
    this.#hostsFile = hostsFile;
    this.#files = files;
    const asked = (servers.length > 0 ? servers : getServers()).map(serverOf);
    const client = new DnsClient({ servers: asked, timeoutMs, clock });
    this.#lookups = new Lookups(clock, (name, type) => client.ask(name, type));
  }

  async locate(sought: Sought): Promise<Location> {
    return locate(sought, this.#lookups.lookUp, this.#hostsFor(sought.uri.host));
  }

  /** RFC 6761 6.3: what is below localhost is where that is. */
  #hostsFor(host: string): ReadonlyMap<string, readonly Address[]> {
    const hosts = this.#hostsNow();
    const isBelow = host.endsWith('.localhost') && !hosts.has(host);
    return isBelow ? new Map([[host, hosts.get('localhost') ?? LOCALHOST]]) : hosts;
  }

  #hostsNow(): ReadonlyMap<string, readonly Address[]> {
    if (this.#hostsVersion === this.#files.version) return this.#hosts;
    this.#hostsVersion = this.#files.version;
    const text = this.#files.has(this.#hostsFile) ? this.#files.text(this.#hostsFile) : '';
    this.#hosts = new Map([['localhost', LOCALHOST], ...parseHosts(text)]);
    return this.#hosts;
  }
}

/** `address`, `address:port` or `[address]:port`. */
function serverOf(text: string): DnsServer {
  const [, bracketed, bare, port] = /^(?:\[(.*)\]|([^:]*))(?::(\d+))?$/.exec(text) ?? [];
  return { address: bracketed ?? bare ?? text, port: Number(port ?? DNS_PORT) };
}
