/** The fleet of the demo, and what the dashboards show besides it, scraped by two real Prometheus. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { type Fleet, startFleet } from '../../demo/fleet.js';
import { fastRules } from './alerting.js';
import { fakeDns, nxdomain } from './dns-server.js';
import { startExporter } from './exporter.js';
import { ask } from './grafana.js';
import { dispatcherAnswer, resultAnswer } from './kamailio-answers.js';
import { eventually, folder } from './process.js';
import { nativeHistograms, startPrometheus } from './prometheus.js';

/** Besides the fleet: a name without an address, for the DNS panels. */
export const NAMED = 'nowhere';
/** Destinations that Kamailios list: one that is up, and a closed port. */
export const LISTED = ['gateway', 'closed-gateway'];
/** How many there are at least; one each second. */
export const SCRAPES = 20;

export interface ScrapedFleet {
  readonly fleet: Fleet;
  /** The name of every destination. */
  readonly names: readonly string[];
  /** The URL of a Prometheus with classic histograms. */
  readonly url: string;
  /** The URL of one with native histograms. */
  readonly native: string;
}

/** Answers the calls of `kamailio_rpc`, and takes what webhooks deliver. */
async function startKamailio(t: TestContext, up: string): Promise<string> {
  const lists: Readonly<Record<string, string>> = {
    'dispatcher.list': dispatcherAnswer({
      7: [
        { uri: up, flags: 'IX', attrs: `duid=${LISTED[0]}` },
        { uri: 'sip:127.0.0.1:9', attrs: `duid=${LISTED[1]}` },
      ],
    }),
    'uac.reg_dump': resultAnswer([
      { l_uuid: 'r1', r_domain: '127.0.0.1', auth_proxy: up, flags: 4, diff_expires: 10 },
    ]),
  };
  const server = createServer(async (request, response) => {
    const { method } = JSON.parse(await text(request)) as { method?: string };
    response.end(lists[method ?? ''] ?? resultAnswer('Ok.'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function scrapedFleet(t: TestContext): Promise<ScrapedFleet> {
  const fleet = await startFleet(folder(t));
  t.after(() => fleet.close());
  const fast = fleet.members.find(({ name }) => name === 'fast') ?? assert.fail();
  const kamailio = await startKamailio(t, fast.uri);
  const source = { url: `${kamailio}/RPC`, refresh_interval: '2s', uac: true };
  const members = fleet.members.map(({ name, uri, settings }) => ({ name, uri, ...settings }));
  const nothing = join(folder(t), 'nothing.json');
  writeFileSync(nothing, '[]');
  const dns = await fakeDns(t, nxdomain);
  const exporter = await startExporter(t, {
    dns: { servers: [dns.label] },
    ...{ ping_interval: 3, ping_timeout: 2.5 },
    discovery: {
      file_sd: [{ files: [nothing] }],
      kamailio_rpc: [
        { ...source, kamailio: 'proxy-a' },
        { ...source, kamailio: 'proxy-b', set_state: true },
      ],
    },
    webhooks: [{ url: kamailio, name: 'on-call' }],
    destinations: [
      ...members,
      { name: NAMED, uri: 'sip:nowhere.invalid', retry_interval: 2.8, down_interval: 4 },
      { name: 'first', uri: fast.uri, resolve: 'first' },
    ].map((one) => ({ ...one, labels: { fleet: 'demo' } })),
  });
  const { scrape, flags } = nativeHistograms();
  const [classic, native] = await Promise.all([
    scrapedBy(t, new URL(exporter.url).host, {}, []),
    scrapedBy(t, new URL(exporter.url).host, scrape, flags),
  ]);
  const names = [...members.map(({ name }) => name), NAMED, 'first', ...LISTED];
  return { fleet, names, url: classic, native };
}

/** The URL of a Prometheus that has scraped the exporter so often. */
async function scrapedBy(t: TestContext, host: string, scrape: object, flags: readonly string[]) {
  const job = { job_name: 'sip-keepalive', static_configs: [{ targets: [host] }], ...scrape };
  const more = { rule_files: fastRules(folder(t), '0s') };
  const { url, output } = await startPrometheus(t, [job], more, flags);
  // The last recording of all depends on a half minute with a scrape.
  const month = 'destination:sip_keepalive_up_seconds:sum30d';
  const enough = `count_over_time(up[10m]) >= ${SCRAPES} and on () ${month}{destination="${NAMED}"}`;
  await eventually(
    `${SCRAPES} scrapes, and all recordings`,
    async () => (await ask(url, { kind: 'instant', text: enough })).length === 1,
    120_000,
  ).catch((error: unknown) => assert.fail(`${error}\n${output()}`));
  return url;
}
