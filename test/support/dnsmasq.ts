/** dnsmasq, a real DNS server, on loopback with zones that the test changes. */

import type { TestContext } from 'node:test';
import { freePort } from './ports.js';
import { eventually, type Running, run } from './process.js';

export interface Zone {
  /** TTL of every record, in seconds. */
  readonly ttl?: number;
  /** The addresses of each name. */
  readonly hosts?: Readonly<Record<string, readonly string[]>>;
  /** Each `_sip._udp.a.test,target,port,priority,weight`; without a target, the service is not offered. */
  readonly srv?: readonly string[];
  /** Each `name,order,preference,flags,service,,replacement`. */
  readonly naptr?: readonly string[];
  /** Each `alias,name`. */
  readonly cname?: readonly string[];
}

export interface Dnsmasq {
  readonly port: number;
  /** Replaces the zone. */
  serve(zone: Zone): Promise<void>;
  stop(): Promise<unknown>;
}

/** Starts dnsmasq with this zone. It answers only for names in `.test`. */
export async function startDnsmasq(t: Pick<TestContext, 'after'>, zone: Zone): Promise<Dnsmasq> {
  const port = await freePort();
  let running: Running | undefined;
  const serve = async ({ ttl = 1, hosts = {}, srv = [], naptr = [], cname = [] }: Zone) => {
    await running?.stop();
    const started = run(t, 'dnsmasq', [
      ...['--no-daemon', '--no-resolv', '--no-hosts', '--conf-file=/dev/null', '--user=root'],
      ...['--listen-address=127.0.0.1', '--bind-interfaces', '--pid-file=', '--local=/test/'],
      ...[`--port=${port}`, `--local-ttl=${ttl}`],
      ...Object.entries(hosts).map(([name, list]) => `--host-record=${name},${list.join(',')}`),
      ...srv.map((record) => `--srv-host=${record}`),
      ...naptr.map((record) => `--naptr-record=${record}`),
      ...cname.map((record) => `--cname=${record}`),
    ]);
    running = started;
    await eventually('dnsmasq runs', () => started.output().includes('started'));
  };
  await serve(zone);
  return { port, serve, stop: async () => running?.stop() };
}
