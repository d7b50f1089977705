/** What the exporter talks to besides its destinations: sources, DNS, Kamailio, webhooks, HTTP clients. */

import type { Section } from '../builders/board.js';
import { quantile, RESOLUTION, within } from '../builders/expressions.js';
import * as looks from '../builders/looks.js';
import { lines, rowsTable } from '../builders/panels.js';
import { rows, series } from '../builders/queries.js';
import { EXPORTER, gauge, NOT_SCRAPED, rate } from './selection.js';

const { UNITS } = looks;
const count = looks.unit(UNITS.count);
const shouldBeNone = [...count, ...looks.coloured(looks.noneIsGood(looks.WARNING))];

const SOURCE = 'instance, source';
const KAMAILIO = 'instance, kamailio';
const WEBHOOK = 'instance, webhook';

export const sources: Section = {
  title: 'Discovery and DNS',
  panels: [
    rowsTable({
      title: 'Sources',
      description:
        'Result of the last refresh of each source, its destinations, its entries that are skipped or only partly applied, and its failed refreshes in the time range; the log has the reasons.',
      ...{ empty: 'No discovery sources', span: 24, height: 7 },
      runbook: 'SipKeepaliveDiscoveryFailing',
      queries: [
        rows(gauge('sip_keepalive_discovery_up', SOURCE)),
        rows(gauge('sip_keepalive_discovery_destinations', SOURCE)),
        rows(gauge('sip_keepalive_discovery_skipped', SOURCE)),
        rows(`${gauge('sip_keepalive_discovery_last_success_timestamp_seconds', SOURCE)} * 1000`),
        rows(within('sip_keepalive_discovery_failures_total', EXPORTER, SOURCE)),
      ],
      columns: [
        ['instance', 'Exporter'],
        ['source', 'Source'],
        ['Value #A', 'Last refresh OK', looks.mapped(looks.YES_OR_NO)],
        ['Value #D', 'Last success', looks.unit(UNITS.ago)],
        ['Value #B', 'Destinations', count],
        ['Value #C', 'Skipped', shouldBeNone],
        ['Value #E', 'Failures', shouldBeNone],
      ],
    }),
    lines({
      title: 'DNS lookup time',
      description:
        'Median and 99th percentile of complete lookups, with all their queries. Not part of the round-trip time.',
      ...{ empty: 'No DNS lookups', unit: UNITS.seconds, span: 8, height: 8 },
      queries: [0.5, 0.99].map((q) =>
        series(
          quantile(q, RESOLUTION, EXPORTER, 'instance', '$__rate_interval'),
          `{{instance}} p${q * 100}`,
        ),
      ),
    }),
    lines({
      title: 'DNS lookups',
      description: 'Lookups in progress, and those that wait for a free slot, at each scrape.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.count, span: 8, height: 8 },
      queries: [
        series(gauge('sip_keepalive_dns_lookups_in_flight'), '{{instance}} in progress'),
        series(gauge('sip_keepalive_dns_lookups_waiting'), '{{instance}} waiting'),
      ],
    }),
    lines({
      title: 'DNS limits',
      description:
        'Per minute: lookups that failed at once because too many were waiting, and records that were ignored because a name had too many.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.perMinute, span: 8, height: 8 },
      queries: [
        series(`60 * ${rate('sip_keepalive_dns_lookups_shed_total')}`, '{{instance}} shed'),
        series(`60 * ${rate('sip_keepalive_dns_records_cut_total')}`, '{{instance}} cut'),
      ],
    }),
  ],
};

export const others: Section = {
  title: 'Kamailio, webhooks and HTTP',
  panels: [
    rowsTable({
      title: 'Kamailio',
      description:
        'Each Kamailio that is read: its ping interval, and the states that were set in it in the time range, or could not be.',
      ...{ empty: 'No Kamailio is read (discovery.kamailio_rpc)', span: 8, height: 7 },
      runbook: 'SipKeepaliveKamailioSetStateFailing',
      queries: [
        rows(gauge('sip_keepalive_kamailio_ping_interval_seconds', KAMAILIO)),
        rows(within('sip_keepalive_kamailio_set_state_total', EXPORTER, KAMAILIO)),
        rows(within('sip_keepalive_kamailio_set_state_failures_total', EXPORTER, KAMAILIO)),
      ],
      columns: [
        ['instance', 'Exporter'],
        ['kamailio', 'Kamailio'],
        ['Value #A', 'Pings every', looks.unit(UNITS.seconds)],
        ['Value #B', 'States set', count],
        ['Value #C', 'Failed', shouldBeNone],
      ],
    }),
    rowsTable({
      title: 'Webhooks',
      description:
        'Events that wait; and in the time range, those that were delivered or dropped, and failed attempts.',
      ...{ empty: 'No webhooks', span: 8, height: 7, runbook: 'SipKeepaliveWebhookDropping' },
      queries: [
        rows(gauge('sip_keepalive_webhook_queued', WEBHOOK)),
        rows(within('sip_keepalive_webhook_deliveries_total', EXPORTER, WEBHOOK)),
        rows(within('sip_keepalive_webhook_failures_total', EXPORTER, WEBHOOK)),
        rows(within('sip_keepalive_webhook_dropped_total', EXPORTER, WEBHOOK)),
      ],
      columns: [
        ['instance', 'Exporter'],
        ['webhook', 'Webhook'],
        ['Value #A', 'Waiting', count],
        ['Value #B', 'Delivered', count],
        ['Value #C', 'Failed attempts', shouldBeNone],
        ['Value #D', 'Dropped', shouldBeNone],
      ],
    }),
    lines({
      title: 'HTTP connections',
      description:
        'Open connections to the HTTP server and their limit, and those closed or refused because of it, per minute.',
      ...{ empty: NOT_SCRAPED, unit: UNITS.count, span: 8, height: 7 },
      queries: [
        series(gauge('sip_keepalive_exporter_http_connections'), '{{instance}} open'),
        series(gauge('sip_keepalive_exporter_http_connections_limit'), '{{instance}} limit'),
        series(
          `60 * ${rate('sip_keepalive_exporter_http_connections_dropped_total')}`,
          '{{instance}} dropped',
        ),
      ],
    }),
  ],
};
