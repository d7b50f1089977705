/** The metrics of the exporter itself and of its process, rendered by `prom-client`. */

import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { FAMILY_NAMES } from '../shared/family-names.js';
import { registerEventLoopLag } from './event-loop-lag.js';
import { EXPORTER_FAMILIES, type ExporterFacts, type ExporterFamily } from './exporter-families.js';
import type { ExporterMetrics, OwnFamily, OwnMetric } from './renderer.js';
import { EVERYTHING, type Selection } from './selection.js';
import { unitOf } from './units.js';

/** Gauges with names of counters, which linters reject; they are of little use. */
const REMOVED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];
/** Replaced by those of event-loop-lag.ts. */
const EVENT_LOOP_LAG = /^nodejs_eventloop_lag_/;
/** An hour: `prom-client` measures the lag by its own means too, which cannot be left out. */
const EVENT_LOOP_RESOLUTION_MS = 3_600_000;

/** @param facts called once per rendering. */
export function exporterMetrics(facts: () => ExporterFacts): ExporterMetrics {
  const registry = new Registry();
  collectDefaultMetrics({
    register: registry,
    eventLoopMonitoringPrecision: EVENT_LOOP_RESOLUTION_MS,
  });
  for (const { name } of registry.getMetricsAsArray()) {
    if (REMOVED.includes(name) || EVENT_LOOP_LAG.test(name)) registry.removeSingleMetric(name);
  }
  const readLag = registerEventLoopLag(registry);
  let current: ExporterFacts | undefined;
  const now = () => (current ??= facts());
  for (const family of EXPORTER_FAMILIES) register(family, registry, now);
  const begin = () => {
    current = undefined;
    readLag();
  };
  return {
    text: async (encoding, selection = EVERYTHING) => {
      begin();
      const metrics = registry
        .getMetricsAsArray()
        .filter(({ name }) => isSelected(selection, name));
      // Always in the text format: prom-client renames counters when it changes its format.
      const texts = await Promise.all(
        metrics.map(({ name }) => registry.getSingleMetricAsString(name)),
      );
      const text = texts
        .join('\n')
        .replace(/\n{2,}/g, '\n')
        .trimEnd();
      return encoding === 'openmetrics' ? asOpenMetrics(text) : text;
    },
    families: async (selection = EVERYTHING) => {
      begin();
      const families = await registry.getMetricsAsJSON();
      return families.filter(({ name }) => isSelected(selection, name)).map(ownFamily);
    },
  };
}

const EXPORTER_NAMES: ReadonlySet<string> = new Set(FAMILY_NAMES.exporter);

function isSelected({ groups, disabled }: Selection, name: string): boolean {
  const group = EXPORTER_NAMES.has(name) ? 'exporter' : 'process';
  return groups.has(group) && !disabled.some((one) => one === name);
}

/** A sample of prom-client; that of a histogram says by the name which one it is. */
interface PlainSample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number | undefined>>;
  readonly metricName?: string;
}

function ownFamily(family: {
  readonly name: string;
  readonly help: string;
  readonly type: unknown;
  readonly values: readonly PlainSample[];
}): OwnFamily {
  const { name, help, values } = family;
  const type = TYPES.find((known) => known === family.type) ?? 'gauge';
  const metrics = type === 'histogram' ? ownHistograms(name, values) : values.map(ownMetric);
  return { name, help, type, metrics };
}

const TYPES = ['counter', 'gauge', 'histogram'] as const;

function ownMetric({ labels, value }: PlainSample): OwnMetric {
  return { labels: labelStrings(labels), value, sum: 0, buckets: [] };
}

function ownHistograms(name: string, samples: readonly PlainSample[]): readonly OwnMetric[] {
  const metrics = new Map<string, OwnMetric>();
  for (const { labels: given, value, metricName } of samples) {
    const { le, ...labels } = given;
    const key = JSON.stringify(labels);
    const { buckets, ...metric } = metrics.get(key) ?? ownMetric({ labels, value: 0 });
    const next = {
      ...metric,
      ...(metricName === `${name}_sum` ? { sum: value } : {}),
      ...(metricName === `${name}_count` ? { value } : {}),
    };
    const isBound = metricName === `${name}_bucket` && typeof le === 'number';
    metrics.set(key, { ...next, buckets: isBound ? [...buckets, [le, value]] : buckets });
  }
  return [...metrics.values()];
}

function labelStrings(labels: PlainSample['labels']): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)]));
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
  return text
    .replace(/^(# (?:HELP|TYPE) )(\S+)_total /gm, (line, kind, name) =>
      counters.has(name) ? `${kind}${name} ` : line,
    )
    .replace(/^# TYPE (\S+) .*$/gm, (line, name) => {
      const unit = unitOf(name);
      return unit === '' ? line : `${line}\n# UNIT ${name} ${unit}`;
    });
}
