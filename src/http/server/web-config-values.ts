/** Values in the file of `--web.config.file`. Their errors name the file and the key. */

import { isMapping, show } from '../../platform/values.js';
import { nearestOf } from '../../shared/nearest.js';
import { WebConfigError } from './web-config-error.js';

export type Mapping = Readonly<Record<string, unknown>>;

/** The mapping; an empty one for null, as in Go. @throws WebConfigError */
export function mapping(value: unknown, path: string): Mapping {
  if (value === undefined || value === null) return {};
  if (isMapping(value)) return value;
  throw new WebConfigError(`${path}: expected a mapping, got ${show(value)}`);
}

/** @throws WebConfigError for another key. */
export function onlyKeys(mapping: Mapping, known: readonly string[], path: string): void {
  for (const key of Object.keys(mapping)) {
    if (known.includes(key)) continue;
    const expected = `expected one of ${known.join(', ')}`;
    throw new WebConfigError(`${path}: ${expected}, got ${show(key)}${nearestOf(key, known)}`);
  }
}

/** Reads values of one mapping. */
export class Values {
  readonly path: string;
  readonly #values: Mapping;

  /** @throws WebConfigError for another key than these. */
  constructor(value: unknown, keys: readonly string[], path: string) {
    this.path = path;
    this.#values = mapping(value, path);
    onlyKeys(this.#values, keys, path);
  }

  has(key: string): boolean {
    return (this.#values[key] ?? null) !== null;
  }

  /** Empty when it is absent. */
  text(key: string): string {
    const value = this.#values[key] ?? '';
    if (typeof value === 'string') return value;
    throw this.error(key, 'a string', value);
  }

  /** Undefined when it is absent. */
  flag(key: string): boolean | undefined {
    const value = this.#values[key] ?? undefined;
    if (value === undefined) return undefined;
    // The reader of YAML leaves them as texts. Those of YAML 1.1, as in Go.
    if (/^(?:true|yes|on)$/i.test(String(value))) return true;
    if (/^(?:false|no|off)$/i.test(String(value))) return false;
    throw this.error(key, 'true or false', value);
  }

  /** A whole number from 0; 0 when it is absent. */
  count(key: string): number {
    const value = this.#values[key] ?? '0';
    // The reader of YAML leaves numbers as texts.
    if (typeof value === 'string' && /^\d{1,9}$/.test(value)) return Number(value);
    throw this.error(key, 'a whole number from 0', value);
  }

  /** A duration as Go has it, such as `1m30s`, in milliseconds; 0 when it is absent. */
  durationMs(key: string): number {
    const value = this.#values[key] ?? '0';
    const ms = value === '0' ? 0 : goDurationMs(String(value));
    if (ms !== undefined) return ms;
    throw this.error(key, 'a duration such as 100ms, 1s or 1m30s', value);
  }

  /** Empty when it is absent. */
  list(key: string): readonly string[] {
    const value = this.#values[key] ?? [];
    if (!Array.isArray(value)) throw this.error(key, 'a list of strings', value);
    return value.map((item, index) => {
      if (typeof item === 'string') return item;
      throw this.error(`${key}[${index}]`, 'a string', item);
    });
  }

  /** One of these names; `fallback` when it is absent. */
  oneOf<T>(key: string, names: ReadonlyMap<string, T>, fallback: T): T {
    if (!this.has(key)) return fallback;
    return this.#named(key, this.#values[key], names);
  }

  /** A list of these names. */
  someOf<T>(key: string, names: ReadonlyMap<string, T>): readonly T[] {
    return this.list(key).map((name, index) => this.#named(`${key}[${index}]`, name, names));
  }

  error(key: string, expected: string, got: unknown): WebConfigError {
    return new WebConfigError(`${this.path}.${key}: expected ${expected}, got ${show(got)}`);
  }

  #named<T>(key: string, given: unknown, names: ReadonlyMap<string, T>): T {
    const value = typeof given === 'string' ? names.get(given) : undefined;
    if (value !== undefined) return value;
    const all = [...names.keys()].filter((name) => name !== '');
    const nearest = typeof given === 'string' ? nearestOf(given, all) : '';
    const error = this.error(key, `one of ${all.join(', ')}`, given);
    throw new WebConfigError(`${error.message}${nearest}`);
  }
}

const UNITS_MS: Readonly<Record<string, number>> = {
  ...{ ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 },
};

/** https://pkg.go.dev/time#ParseDuration, without a sign. */
function goDurationMs(text: string): number | undefined {
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h)){1,20}$/.test(text)) return undefined;
  let ms = 0;
  for (const [, amount, unit = ''] of text.matchAll(/([\d.]+)([a-zµ]+)/g)) {
    ms += Number(amount) * (UNITS_MS[unit] ?? Number.NaN);
  }
  return ms;
}
