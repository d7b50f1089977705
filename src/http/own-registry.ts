/** The exporter's metrics about itself, and the process's, on `prom-client`. */

import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Exporter } from './exporter.js';

export const TEXT = Registry.PROMETHEUS_CONTENT_TYPE;
export const OPENMETRICS = Registry.OPENMETRICS_CONTENT_TYPE;
export type ContentType = typeof TEXT | typeof OPENMETRICS;

/** Gauges whose names end like counters; every linter objects, and they say little. */
const LEFT_OUT = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

export interface OwnRegistry {
  readonly contentType: ContentType;
  /** The metrics as text, without the end mark of OpenMetrics. */
  text(): Promise<string>;
}

/** One registry serves one format: prom-client would rename counters when the format changed. */
export function ownRegistry(exporter: Exporter, contentType: ContentType): OwnRegistry {
  const registry = new Registry<ContentType>();
  registry.setContentType(contentType);
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  for (const name of LEFT_OUT) registry.removeSingleMetric(name);
  new Gauge({
    name: 'sip_keepalive_exporter_build_info',
    help: 'The version of the exporter.',
    labelNames: ['version'],
    registers,
  }).set({ version: exporter.version }, 1);
  new Gauge({
    name: 'sip_keepalive_exporter_config_last_reload_successful',
    help: 'Whether the last attempt to load the configuration succeeded.',
    registers,
  }).set(1);
  new Gauge({
    name: 'sip_keepalive_exporter_config_last_reload_success_timestamp_seconds',
    help: 'When the configuration in force was loaded.',
    registers,
  }).set(exporter.configLoadedAtMs / 1000);
  new Counter({
    name: 'sip_keepalive_pinger_restarts_total',
    help: 'How often the pinger thread had to be started again.',
    registers,
    collect() {
      this.reset();
      this.inc(exporter.pinger.restarts);
    },
  });
  return {
    contentType,
    text: async () => (await registry.metrics()).replace(/# EOF\n$/, '').trimEnd(),
  };
}
