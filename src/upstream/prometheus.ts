/** The HTTP API of Prometheus: https://prometheus.io/docs/prometheus/latest/querying/api/ */

import { isMapping, kindOf } from '../platform/values.js';
import type { JsonServer } from './json-server.js';

/** Values by their times, Unix seconds. */
export type Series = ReadonlyMap<number, number>;

/** Unix seconds, and seconds. */
export interface QueryRange {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

export class Prometheus {
  readonly #server: JsonServer;

  constructor(server: JsonServer) {
    this.#server = server;
  }

  /** The values of an instant query by the label `destination`, without NaN and infinity. @throws UpstreamError */
  async query(query: string, atSeconds: number): Promise<ReadonlyMap<string, number>> {
    const result = await this.#ask('query', { query, time: String(atSeconds) });
    const values = result.map((series): readonly [string, number] => {
      const { metric, value } = this.#mapping(series);
      const { destination } = this.#mapping(metric);
      return [String(destination), this.#sample(value)[1]];
    });
    return new Map(values.filter(([, value]) => Number.isFinite(value)));
  }

  /** The only series of a range query; empty without one. @throws UpstreamError */
  async range(query: string, { start, end, step }: QueryRange): Promise<Series> {
    const times = { start: String(start), end: String(end), step: String(step) };
    const [series] = await this.#ask('query_range', { query, ...times });
    if (series === undefined) return new Map();
    const { values } = this.#mapping(series);
    if (!Array.isArray(values)) throw this.#unexpected('values as a list', values);
    const samples = values.map((sample: unknown) => this.#sample(sample));
    return new Map(samples.filter(([, value]) => Number.isFinite(value)));
  }

  async #ask(
    endpoint: string,
    parameters: Readonly<Record<string, string>>,
  ): Promise<readonly unknown[]> {
    // Prometheus stops when the answer is not waited for any more.
    const timeout = `${Math.ceil(this.#server.settings.timeoutMs / 1000)}s`;
    const json = await this.#server.ask(`/api/v1/${endpoint}`, {
      method: 'POST',
      headers: {
        Accept: 'application/json',
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body: String(new URLSearchParams({ ...parameters, timeout })),
    });
    const { result } = this.#mapping(this.#mapping(json)['data']);
    if (!Array.isArray(result)) throw this.#unexpected('data.result as a list', result);
    return result;
  }

  #mapping(value: unknown): Readonly<Record<string, unknown>> {
    if (isMapping(value)) return value;
    throw this.#unexpected('the JSON of its API (data.result)', value);
  }

  /** A time in Unix seconds and a value, which is a text: `[1435781451.781, "1"]`. */
  #sample(value: unknown): readonly [number, number] {
    const [time, text]: readonly unknown[] = Array.isArray(value) ? value : [];
    if (typeof time !== 'number' || typeof text !== 'string') {
      throw this.#unexpected('a sample ([time, "value"])', value);
    }
    return [Math.round(time), Number(text)];
  }

  #unexpected(expected: string, got: unknown): Error {
    return this.#server.failure(expected, kindOf(got));
  }
}
