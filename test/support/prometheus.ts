/** A real Prometheus. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { freePort } from './ports.js';
import { folder, type Running, run } from './process.js';

export interface Prometheus extends Running {
  readonly url: string;
  /** The values of an instant query, by this label of their series. */
  query(text: string, label: string): Promise<Map<string, number>>;
}

/** Starts Prometheus with these `scrape_configs`; it scrapes every second. */
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
    `--storage.tsdb.path=${join(path, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    ...flags,
  ]);
  const url = `http://127.0.0.1:${port}`;
  const query = async (text: string, label: string): Promise<Map<string, number>> => {
    const path = `/api/v1/query?query=${encodeURIComponent(text)}`;
    const answer = (await (await fetch(`${url}${path}`)).json()) as Answer;
    const samples = answer.data?.result ?? [];
    return new Map(samples.map((s) => [s.metric[label] ?? '', Number(s.value[1])]));
  };
  return { ...prometheus, url, query };
}

interface Answer {
  readonly data?: {
    readonly result: readonly {
      readonly metric: Record<string, string>;
      readonly value: readonly [number, string];
    }[];
  };
}
