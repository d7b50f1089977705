/** What the exporter dashboard selects, and its usual expressions. */

export const EXPORTER = 'job=~"$job",instance=~"$instance"';
export const NOT_SCRAPED = 'No exporter was scraped in the time range';

export const each = (expr: string, by = 'instance') => `max by (${by}) (${expr})`;
export const gauge = (metric: string, by = 'instance') => each(`${metric}{${EXPORTER}}`, by);
export const rate = (metric: string, by = 'instance') =>
  `sum by (${by}) (rate(${metric}{${EXPORTER}}[$__rate_interval]))`;
