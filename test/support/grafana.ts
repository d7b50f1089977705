/** Queries Prometheus as Grafana does. */

import type { Query } from './dashboards.js';

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** The last value that is a number; of a native histogram the number of observations. */
  readonly value: number;
}

/** Replaces variables by their values, as Grafana does before a query. */
export function substituted(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$(\w+)/g, (variable, name) => values[name] ?? variable);
}

const RANGE_SECONDS = 20;

/** The resulting series, without those that are NaN only. @throws with the error of Prometheus. */
export async function ask(
  url: string,
  { kind, text }: Pick<Query, 'kind' | 'text'>,
): Promise<Series[]> {
  const now = Date.now() / 1000;
  switch (kind) {
    case 'instant':
      return samples(await get(url, 'query', { query: text, time: String(now) }));
    case 'range': {
      const range = { start: String(now - RANGE_SECONDS), end: String(now), step: '2' };
      return samples(await get(url, 'query_range', { query: text, ...range }));
    }
    case 'label_values': {
      const [, match = '', label] = /^label_values\((.*), *(\w+)\)$/.exec(text) ?? [];
      return names(await get(url, `label/${label}/values`, { 'match[]': match }));
    }
    case 'label_names': {
      // Grafana takes the argument as a part of the metric's name.
      const [, name] = /^label_names\((.*)\)$/.exec(text) ?? [];
      return names(await get(url, 'labels', { 'match[]': `{__name__=~".*${name}.*"}` }));
    }
    case 'query_result': {
      const [, query = ''] = /^query_result\((.*)\)$/.exec(text) ?? [];
      return samples(await get(url, 'query', { query, time: String(now) }));
    }
    default:
      return kind satisfies never;
  }
}

async function get(url: string, path: string, params: Record<string, string>): Promise<unknown> {
  const answer = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(params)}`);
  const { data, error } = (await answer.json()) as { data?: unknown; error?: string };
  if (error !== undefined) throw new Error(`${error}: ${params['query'] ?? params['match[]']}`);
  return data;
}

type Sample = readonly [time: number, value: string];
type HistogramSample = readonly [time: number, histogram: { readonly count: string }];

interface Result {
  readonly metric: Record<string, string>;
  readonly value?: Sample;
  readonly values?: readonly Sample[];
  readonly histogram?: HistogramSample;
  readonly histograms?: readonly HistogramSample[];
}

function samples(data: unknown): Series[] {
  const { result } = data as { result: Result[] };
  return result.flatMap(({ metric, value, values, histogram, histograms }) => {
    const numbers = (values ?? (value === undefined ? [] : [value])).map(([, text]) =>
      Number(text),
    );
    const counts = (histograms ?? (histogram === undefined ? [] : [histogram])).map(
      ([, { count }]) => Number(count),
    );
    const last = [...numbers, ...counts].findLast((x) => !Number.isNaN(x));
    return last === undefined ? [] : [{ labels: metric, value: last }];
  });
}

const names = (data: unknown): Series[] =>
  (data as string[]).map((name) => ({ labels: { name }, value: 1 }));
