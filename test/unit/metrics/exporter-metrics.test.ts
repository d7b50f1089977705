import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exporterMetrics } from '../../../src/metrics/exporter-metrics.js';
import { IDLE_FACTS } from '../../support/idle-app.js';

const FACTS = {
  ...IDLE_FACTS,
  ...{ destinations: 7, pingerRestarts: 2, logLinesDropped: 3, faults: 4 },
  incidentsDropped: 5,
  connections: { open: 5, limit: 100, dropped: 6 },
  shard: { ordinal: 1, total: 3 },
  isLastReloadSuccessful: false,
  sources: [
    {
      ...{ source: 'file_sd a', isUp: true, destinations: 8, skipped: 1, failures: 2 },
      ...{ kind: 'file_sd', lastSuccessMs: 1_500, error: '' },
    },
    {
      ...{ source: 'http_sd b', isUp: false, destinations: 0, skipped: 0, failures: 9 },
      ...{ kind: 'http_sd', lastSuccessMs: 0, error: 'status 500' },
    },
  ],
  webhooks: [{ webhook: 'pager', delivered: 10, failures: 11, dropped: 12, queued: 13 }],
  kamailios: [
    {
      ...{ kamailio: 'proxy-a', pingIntervalMs: 30_000, failures: 14 },
      statesSet: { active: 15, inactive: 16 },
    },
  ],
};

describe('the metrics of the exporter', () => {
  test('have the values at the time of the scrape', async () => {
    const text = await exporterMetrics(() => FACTS).text('text');
    for (const line of [
      'exporter_build_info{version="1.2.3"} 1',
      'exporter_destinations 7',
      'exporter_shard{ordinal="1",total="3"} 1',
      'exporter_config_last_reload_successful 0',
      'exporter_config_last_reload_success_timestamp_seconds 1600000000.5',
      'exporter_faults_total 4',
      'exporter_incidents_dropped_total 5',
      'exporter_log_lines_dropped_total 3',
      'exporter_http_connections 5',
      'exporter_http_connections_limit 100',
      'exporter_http_connections_dropped_total 6',
      'pinger_restarts_total 2',
      'discovery_up{source="file_sd a"} 1',
      'discovery_up{source="http_sd b"} 0',
      'discovery_destinations{source="file_sd a"} 8',
      'discovery_skipped{source="file_sd a"} 1',
      'discovery_failures_total{source="http_sd b"} 9',
      'discovery_last_success_timestamp_seconds{source="file_sd a"} 1.5',
      'discovery_last_success_timestamp_seconds{source="http_sd b"} 0',
      'webhook_deliveries_total{webhook="pager"} 10',
      'webhook_failures_total{webhook="pager"} 11',
      'webhook_dropped_total{webhook="pager"} 12',
      'webhook_queued{webhook="pager"} 13',
      'kamailio_ping_interval_seconds{kamailio="proxy-a"} 30',
      'kamailio_set_state_total{kamailio="proxy-a",state="active"} 15',
      'kamailio_set_state_total{kamailio="proxy-a",state="inactive"} 16',
      'kamailio_set_state_failures_total{kamailio="proxy-a"} 14',
    ]) {
      assert.ok(`\n${text}\n`.includes(`\nsip_keepalive_${line}\n`), line);
    }
  });

  test('read the values once per scrape, and drop removed sources', async () => {
    let facts = FACTS;
    let calls = 0;
    const render = exporterMetrics(() => {
      calls++;
      return facts;
    });
    assert.match(await render.text('text'), /source="http_sd b"/);
    assert.equal(calls, 1);
    facts = { ...FACTS, sources: FACTS.sources.slice(0, 1) };
    assert.doesNotMatch(await render.text('text'), /source="http_sd b"/);
    assert.equal(calls, 2);
  });

  test('name counters as OpenMetrics does on request', async () => {
    const render = exporterMetrics(() => FACTS);
    const open = await render.text('openmetrics');
    assert.match(open, /^# TYPE sip_keepalive_exporter_faults counter$/m);
    assert.match(open, /^# HELP sip_keepalive_exporter_faults Internal errors/m);
    assert.match(open, /^sip_keepalive_exporter_faults_total 4$/m);
    assert.match(
      await render.text('text'),
      /^# TYPE sip_keepalive_exporter_faults_total counter$/m,
    );
  });

  test('have the process metrics, except gauges that are named like counters', async () => {
    const text = await exporterMetrics(() => FACTS).text('text');
    assert.match(text, /^process_cpu_seconds_total /m);
    assert.doesNotMatch(text, /^nodejs_active_\w+_total/m);
    assert.doesNotMatch(text, /\n\n/);
  });
});
