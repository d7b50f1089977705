/** The status page in a browser, with an exporter and far ends behind it. */

import type { TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { startFleet } from '../../demo/fleet.js';
import { startExporter } from './exporter.js';
import { startFarEnd } from './far-end.js';
import { eventually, folder } from './process.js';

/** An exporter with the fleet of the demo, each member with a state. */
export async function startDemo(t: TestContext) {
  const fleet = await startFleet(folder(t));
  t.after(() => fleet.close());
  const destinations = fleet.members.map(({ name, uri, settings }) => ({
    ...{ uri, name, labels: { fleet: 'demo' }, ...settings },
  }));
  const exporter = await startExporter(t, { ping_interval: 2, ping_timeout: 1.8, destinations });
  await eventually('a state of each', async () => {
    const all = (await exporter.get('/metrics')).match(/^sip_keepalive_up\{/gm)?.length;
    return all === destinations.length;
  });
  return { exporter, count: destinations.length };
}

export interface Switch {
  isUp: boolean;
  readonly address: string;
}

/** A peer that answers 200 or 503, depending on `isUp`. */
export async function startSwitch(t: TestContext): Promise<Switch> {
  const { port } = await startFarEnd(t, 'udp', (_request, good) =>
    peer.isUp ? [good] : [good.replace('200 OK', '503 Full')],
  );
  const peer = { isUp: true, address: `127.0.0.1:${port}` };
  return peer;
}

/** The names in the list, as far as they are in the document. */
export function listedNames(page: Page): Promise<readonly string[]> {
  return page.locator('tbody td.destination a').allTextContents();
}

export async function waitUntilLive(page: Page): Promise<void> {
  await page.locator('#live', { hasText: 'Live' }).waitFor();
}

/** Pixels by which the document is wider than the window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
}
