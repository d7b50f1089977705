/** A real Prometheus. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { freePort } from './ports.js';
import { folder, type Running, run, runToEnd } from './process.js';

const DATA = '--storage.tsdb.path=';

export interface Prometheus extends Running {
  readonly url: string;
  /** The values of an instant query, by this label of their series; at a Unix time if there is one. */
  query(text: string, label: string, atSeconds?: number): Promise<Map<string, number>>;
  /** The labels of the exemplars of the last ten minutes. */
  exemplars(text: string): Promise<readonly Readonly<Record<string, string>>[]>;
  /** The lines with a warning or an error. */
  warnings(): readonly string[];
}

/** Starts Prometheus with these `scrape_configs`; it scrapes every second. `flags` may say where its data is. */
export async function startPrometheus(
  t: Pick<TestContext, 'after'>,
  scrapeConfigs: readonly unknown[],
  more: Readonly<Record<string, unknown>> = {},
  flags: readonly string[] = [],
): Promise<Prometheus> {
  const path = folder(t);
  const config = join(path, 'prometheus.yml');
  const global = { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' };
  writeFileSync(config, JSON.stringify({ global, scrape_configs: scrapeConfigs, ...more }));
  const port = await freePort();
  const prometheus = run(t, 'prometheus', [
    `--config.file=${config}`,
    ...(flags.some((flag) => flag.startsWith(DATA)) ? [] : [`${DATA}${join(path, 'data')}`]),
    `--web.listen-address=127.0.0.1:${port}`,
    ...flags,
  ]);
  const url = `http://127.0.0.1:${port}`;
  const get = async <T>(path: string, parameters: Readonly<Record<string, string>>) =>
    (await (await fetch(`${url}/api/v1/${path}?${new URLSearchParams(parameters)}`)).json()) as T;
  return {
    ...prometheus,
    url,
    query: async (query, label, atSeconds) => {
      const time = atSeconds === undefined ? {} : { time: String(atSeconds) };
      const answer = await get<Answer>('query', { query, ...time });
      const samples = answer.data?.result ?? [];
      return new Map(samples.map((s) => [s.metric[label] ?? '', Number(s.value[1])]));
    },
    exemplars: async (query) => {
      const now = Date.now() / 1000;
      const range = { start: String(now - 600), end: String(now + 60) };
      const { data } = await get<ExemplarsAnswer>('query_exemplars', { query, ...range });
      return data.flatMap((series) => series.exemplars.map(({ labels }) => labels));
    },
    // Prometheus 3 writes levels in capitals.
    warnings: () =>
      prometheus
        .output()
        .split('\n')
        .filter((l) => /level=(warn|error)/i.test(l)),
  };
}

/**
 * The settings of a scrape and the flags with which Prometheus stores native histograms and exemplars. Before
 * 3.8 native histograms are a feature that a flag enables; since then they are a setting.
 */
export function nativeHistograms() {
  const { output } = runToEnd('prometheus', ['--version']);
  const [, major = '', minor = ''] = /version (\d+)\.(\d+)/.exec(output) ?? [];
  return Number(major) < 3 || (Number(major) === 3 && Number(minor) < 8)
    ? { scrape: {}, flags: ['--enable-feature=native-histograms,exemplar-storage'] }
    : {
        scrape: { scrape_native_histograms: true },
        flags: ['--enable-feature=exemplar-storage'],
      };
}

interface Answer {
  readonly data?: {
    readonly result: readonly {
      readonly metric: Record<string, string>;
      readonly value: readonly [number, string];
    }[];
  };
}

interface ExemplarsAnswer {
  readonly data: readonly {
    readonly exemplars: readonly { readonly labels: Readonly<Record<string, string>> }[];
  }[];
}
