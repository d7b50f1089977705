/** The exporters, and what should not happen to them. */

import type { Section } from '../builders/board.js';
import { within } from '../builders/expressions.js';
import * as looks from '../builders/looks.js';
import { number, rowsTable } from '../builders/panels.js';
import { latest, rows } from '../builders/queries.js';
import { EXPORTER, each, gauge, NOT_SCRAPED } from './selection.js';

const { UNITS } = looks;

export const now: Section = {
  title: 'Now',
  panels: [
    rowsTable({
      title: 'Exporters',
      description:
        'Each exporter with its version, shard, destinations and configuration. Exporters that Prometheus has not scraped in the time range are missing.',
      ...{ empty: NOT_SCRAPED, span: 24, height: 6, runbook: 'SipKeepaliveExporterDown' },
      queries: [
        rows(gauge('up')),
        rows(gauge('sip_keepalive_exporter_build_info', 'instance, version')),
        rows(gauge('sip_keepalive_exporter_shard', 'instance, ordinal, total')),
        rows(gauge('sip_keepalive_exporter_destinations')),
        rows(`${gauge('process_start_time_seconds')} * 1000`),
        rows(gauge('sip_keepalive_exporter_config_last_reload_successful')),
        rows(
          `${gauge('sip_keepalive_exporter_config_last_reload_success_timestamp_seconds')} * 1000`,
        ),
        rows(gauge('sip_keepalive_exporter_udp_io_info', 'instance, io')),
      ],
      columns: [
        ['instance', 'Exporter'],
        ['Value #A', 'Scraped', looks.mapped(looks.YES_OR_NO)],
        ['version', 'Version'],
        ['ordinal', 'Shard'],
        ['total', 'of'],
        ['Value #D', 'Destinations', looks.unit(UNITS.count)],
        ['Value #E', 'Started', looks.unit(UNITS.ago)],
        ['Value #F', 'Last reload', looks.mapped(looks.LOADED)],
        ['Value #G', 'Configuration age', looks.unit(UNITS.ago)],
        ['io', 'UDP by'],
      ],
      hidden: ['Value #B', 'Value #C', 'Value #H'],
    }),
    number({
      ...{ title: 'Stalls', unit: UNITS.count, decimals: 0, span: 4, height: 4 },
      description:
        'Pauses of the pinger thread of more than 20 ms in the time range. Pings whose result was lost to a pause are not counted.',
      ...{ empty: NOT_SCRAPED, thresholds: looks.noneIsGood(looks.WARNING) },
      queries: [
        latest(within('sip_keepalive_pinger_stalls_total', EXPORTER, 'instance'), '{{instance}}'),
      ],
    }),
    number({
      ...{ title: 'Pinger restarts', unit: UNITS.count, decimals: 0, span: 4, height: 4 },
      description: 'Restarts of the pinger thread in the time range.',
      ...{ empty: NOT_SCRAPED, thresholds: looks.noneIsGood() },
      runbook: 'SipKeepalivePingerRestarting',
      queries: [
        latest(within('sip_keepalive_pinger_restarts_total', EXPORTER, 'instance'), '{{instance}}'),
      ],
    }),
    number({
      ...{ title: 'Exporter restarts', unit: UNITS.count, decimals: 0, span: 4, height: 4 },
      description: 'Restarts of the process in the time range.',
      ...{ empty: NOT_SCRAPED, thresholds: looks.noneIsGood(looks.WARNING) },
      runbook: 'SipKeepaliveExporterRestarting',
      queries: [
        latest(each(`changes(process_start_time_seconds{${EXPORTER}}[$__range])`), '{{instance}}'),
      ],
    }),
    number({
      ...{ title: 'Unmatched messages', unit: UNITS.count, decimals: 0, span: 4, height: 4 },
      description:
        'Received messages in the time range that belong to no ping: stray, forged or malformed.',
      ...{ empty: NOT_SCRAPED, thresholds: looks.noneIsGood(looks.WARNING) },
      queries: [
        latest(
          within('sip_keepalive_unmatched_messages_total', EXPORTER, 'instance'),
          '{{instance}}',
        ),
      ],
    }),
    number({
      ...{ title: 'Internal errors', unit: UNITS.count, decimals: 0, span: 4, height: 4 },
      description:
        'Operations that an internal error ended in the time range, in both threads. The log has them.',
      ...{ empty: NOT_SCRAPED, thresholds: looks.noneIsGood() },
      runbook: 'SipKeepaliveExporterFaults',
      queries: [
        latest(
          `${within('sip_keepalive_pinger_faults_total', EXPORTER, 'instance')} + ` +
            within('sip_keepalive_exporter_faults_total', EXPORTER, 'instance'),
          '{{instance}}',
        ),
      ],
    }),
    number({
      ...{ title: 'Log lines dropped', unit: UNITS.count, decimals: 0, span: 4, height: 4 },
      description:
        'Log lines in the time range that could not be written, or whose reader was too slow.',
      ...{ empty: NOT_SCRAPED, thresholds: looks.noneIsGood(looks.WARNING) },
      queries: [
        latest(
          within('sip_keepalive_exporter_log_lines_dropped_total', EXPORTER, 'instance'),
          '{{instance}}',
        ),
      ],
    }),
  ],
};
