/** The exporter's metrics about itself, and the process's, on `prom-client`. */

import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { type ExporterFacts, type ExporterFamily, OWN_FAMILIES } from './exporter-families.js';

export const TEXT = Registry.PROMETHEUS_CONTENT_TYPE;
export const OPENMETRICS = Registry.OPENMETRICS_CONTENT_TYPE;
export type ContentType = typeof TEXT | typeof OPENMETRICS;

/** Gauges whose names end like counters; every linter objects, and they say little. */
const LEFT_OUT = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];
/** How often the event loop's delay is looked at; prom-client's own 10 ms costs a core 1 %. */
const EVENT_LOOP_LOOK_MS = 500;

/** Renders these metrics in a format, without the end mark of OpenMetrics. */
export type ExporterMetrics = (contentType: ContentType) => Promise<string>;

function register(family: ExporterFamily, registry: Registry, exporter: ExporterFacts): void {
  const { name, help, labels } = family;
  const options = { name, help, labelNames: [...labels], registers: [registry] };
  if (family.type === 'gauge') {
    new Gauge({
      ...options,
      collect() {
        this.reset();
        for (const [labels, value] of family.samples(exporter)) this.set(labels, value);
      },
    });
  } else {
    new Counter({
      ...options,
      collect() {
        this.reset();
        for (const [labels, value] of family.samples(exporter)) this.inc(labels, value);
      },
    });
  }
}

/** One registry, in the text format: prom-client renames counters when it changes its format. */
export function exporterMetrics(exporter: ExporterFacts): ExporterMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_LOOK_MS });
  for (const name of LEFT_OUT) registry.removeSingleMetric(name);
  for (const family of OWN_FAMILIES) register(family, registry, exporter);
  return async (contentType) => {
    const text = (await registry.metrics()).replace(/\n{2,}/g, '\n').trimEnd();
    return contentType === OPENMETRICS ? asOpenMetrics(text) : text;
  };
}

/** OpenMetrics 1.0 names a counter's family without the `_total` of its samples. */
function asOpenMetrics(text: string): string {
  const counters = new Set(
    [...text.matchAll(/^# TYPE (\S+)_total counter$/gm)].map(([, name]) => name),
  );
  return text.replace(/^(# (?:HELP|TYPE) )(\S+)_total /gm, (line, kind, name) =>
    counters.has(name) ? `${kind}${name} ` : line,
  );
}
