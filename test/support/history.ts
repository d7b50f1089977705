/** A real Prometheus with a past: samples that a test makes up, and what the recording rules make of them. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { readRules } from './dashboards.js';
import { eventually, folder, runToEnd } from './process.js';
import { type Prometheus, startPrometheus } from './prometheus.js';

export interface PastSeries {
  readonly labels: Readonly<Record<string, string>>;
  /** Pairs of a Unix time in seconds and a value, in order. */
  readonly samples: readonly (readonly [at: number, value: number | string])[];
}

/** How often a group is evaluated, and how long after the full interval. */
export interface Schedule {
  readonly intervalSeconds: number;
  readonly phaseSeconds: number;
}

export class History {
  readonly #t: TestContext;
  readonly #path: string;
  readonly #fromSeconds: number;
  readonly #toSeconds: number;

  constructor(t: TestContext, fromSeconds: number, toSeconds: number) {
    this.#t = t;
    this.#path = folder(t);
    [this.#fromSeconds, this.#toSeconds] = [fromSeconds, toSeconds];
  }

  add(name: string, series: readonly PastSeries[]): void {
    const lines = series.flatMap(({ labels, samples }) => {
      const text = Object.entries(labels).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
      return samples.map(([at, value]) => `${name}{${text}} ${value} ${at}`);
    });
    const file = join(this.#path, 'samples');
    writeFileSync(file, `# TYPE ${name} unknown\n${lines.join('\n')}\n# EOF\n`);
    const { status, output } = runToEnd('promtool', [
      ...['tsdb', 'create-blocks-from', 'openmetrics', '--max-block-duration=1000h'],
      ...[file, join(this.#path, 'data')],
    ]);
    assert.equal(status, 0, output);
  }

  /** Adds what this recording rule would have recorded. */
  async record(name: string, { intervalSeconds, phaseSeconds }: Schedule): Promise<void> {
    const { expr } = readRules().find(({ record }) => record === name) ?? assert.fail(name);
    const prometheus = await this.start();
    const start = Math.ceil(this.#fromSeconds / intervalSeconds) * intervalSeconds + phaseSeconds;
    const query = new URLSearchParams({
      ...{ query: expr, start: `${start}`, end: `${this.#toSeconds}`, step: `${intervalSeconds}` },
    });
    const answer = await fetch(`${prometheus.url}/api/v1/query_range?${query}`);
    const { data, error } = (await answer.json()) as Answer;
    await prometheus.stop();
    assert.equal(error, undefined);
    const series = data.result.map(({ metric: { __name__, ...labels }, values }) => ({
      labels,
      samples: values,
    }));
    this.add(name, series);
  }

  async start(): Promise<Prometheus> {
    const prometheus = await startPrometheus(this.#t, [], {}, [
      `--storage.tsdb.path=${join(this.#path, 'data')}`,
      '--storage.tsdb.retention.time=60d',
    ]);
    await eventually(
      'Prometheus is ready',
      async () => (await fetch(`${prometheus.url}/-/ready`)).ok,
    );
    return prometheus;
  }
}

interface Answer {
  readonly error?: string;
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly values: readonly (readonly [number, string])[];
    }[];
  };
}
