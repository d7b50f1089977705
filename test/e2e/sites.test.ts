import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Alert,
  alertsOf,
  startAlertmanager,
  startHttpSink,
  startScraping,
  toWebhooks,
} from '../support/alerting.js';
import { startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { freePort } from '../support/ports.js';
import { eventually } from '../support/process.js';
import { needs } from '../support/tools.js';

const DOWN = 'SipKeepaliveDestinationDown';

test(
  'three sites: one that cannot reach a peer is a ticket, and only a peer that no site reaches is a page',
  needs('prometheus', 'prometheus-alertmanager'),
  async (t) => {
    let isUp = true;
    const peer = await startFarEnd(t, 'udp', (_request, good) => (isUp ? [good] : []));
    const exporterTo = (port: number) =>
      startExporter(t, {
        ...{ ping_interval: 1, ping_timeout: 0.5 },
        destinations: [{ name: 'carrier-a', uri: `127.0.0.1:${port}` }],
      });
    const ams = await exporterTo(peer.port);
    const fra = await exporterTo(peer.port);
    // Behind a firewall: the same destination at an address where nobody answers.
    const nyc = await exporterTo(await freePort());
    const { url, requests } = await startHttpSink(t);
    const alertmanager = await startAlertmanager(t, toWebhooks(url));
    const exporters = Object.entries({ ams, fra, nyc }).map(([site, { url }]) => ({
      ...{ url, labels: { site } },
    }));
    const prometheus = await startScraping(t, exporters, { alertmanager, forText: '3s' });
    const sent = (receiver: string, name: string, status: Alert['status']) =>
      alertsOf(requests, receiver)
        .flat()
        .findLast(({ labels, status: s }) => labels['alertname'] === name && s === status);

    const ticket = await eventually('nyc is a ticket', () =>
      sent('mail', `${DOWN}FromSite`, 'firing'),
    );
    assert.deepEqual([ticket.labels['site'], ticket.labels['severity']], ['nyc', 'warning']);
    assert.match(ticket.annotations['summary'] ?? '', /^carrier-a from nyc: connection refused /);
    assert.match(ticket.annotations['description'] ?? '', /^Up from ams, fra: /);
    assert.equal(ticket.annotations['dashboard_url'], `${nyc.url}/#/destination/carrier-a`);
    // Before the first scrape there may have been a page that no exporter is known.
    const paged = () =>
      alertsOf(requests, 'pager')
        .flat()
        .flatMap(({ labels }) => (labels['destination'] === undefined ? [] : labels['alertname']));
    assert.deepEqual(paged(), []);

    // The site of ams fails together with the peer.
    isUp = false;
    await ams.stop('SIGKILL');
    const page = await eventually(
      'no site reaches it',
      () => sent('pager', `${DOWN}Everywhere`, 'firing'),
      180_000,
    );
    assert.deepEqual([page.labels['destination'], page.labels['site']], ['carrier-a', undefined]);
    assert.match(page.annotations['description'] ?? '', /\. Without a scraped exporter: ams\.$/);

    isUp = true;
    await eventually('fra reaches it again', () => sent('pager', `${DOWN}Everywhere`, 'resolved'));
    assert.deepEqual([...new Set(paged())], [`${DOWN}Everywhere`]);
    const single = await prometheus.query(`ALERTS{alertname="${DOWN}"}`, 'site');
    assert.deepEqual([...single], []);
  },
);
