/** The metrics of the exporter itself and of its process, rendered by `prom-client`. */

import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { EXPORTER_FAMILIES, type ExporterFacts, type ExporterFamily } from './exporter-families.js';
import type { Encoding } from './format.js';

/** Gauges with names of counters, which linters reject; they are of little use. */
const REMOVED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];
/** Resolution of the event loop delay. The default of prom-client, 10 ms, takes 1 % of a core. */
const EVENT_LOOP_RESOLUTION_MS = 500;

/** Renders these metrics as text or OpenMetrics, without the end mark of the latter. */
export type ExporterMetrics = (encoding: Exclude<Encoding, 'protobuf'>) => Promise<string>;

/** @param facts called once per rendering. */
export function exporterMetrics(facts: () => ExporterFacts): ExporterMetrics {
  const registry = new Registry();
  collectDefaultMetrics({
    register: registry,
    eventLoopMonitoringPrecision: EVENT_LOOP_RESOLUTION_MS,
  });
  for (const name of REMOVED) registry.removeSingleMetric(name);
  let current: ExporterFacts | undefined;
  const now = () => (current ??= facts());
  for (const family of EXPORTER_FAMILIES) register(family, registry, now);
  return async (encoding) => {
    // Always in the text format: prom-client renames counters when it changes its format.
    current = undefined;
    const text = (await registry.metrics()).replace(/\n{2,}/g, '\n').trimEnd();
    return encoding === 'openmetrics' ? asOpenMetrics(text) : text;
  };
}

function register(family: ExporterFamily, registry: Registry, facts: () => ExporterFacts): void {
  const { name, help, labels } = family;
  const options = { name, help, labelNames: [...labels], registers: [registry] };
  if (family.type === 'gauge') {
    new Gauge({
      ...options,
      collect() {
        this.reset();
        for (const [labels, value] of family.samples(facts())) this.set(labels, value);
      },
    });
  } else {
    new Counter({
      ...options,
      collect() {
        this.reset();
        for (const [labels, value] of family.samples(facts())) this.inc(labels, value);
      },
    });
  }
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
