/**
 * Reads the file of `--web.config.file` in the format of the Prometheus exporters: TLS, users, headers and a
 * rate limit (https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md). The
 * file and its certificates are read again when they change.
 */

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileStamp } from '../../platform/file-stamp.js';
import { parseYaml } from '../../platform/yaml.js';
import { decodeUtf8 } from '../../shared/text.js';
import { costOf } from '../guards/passwords.js';
import { readTlsConfig, type ServerTls } from './tls-config.js';
import { WebConfigError } from './web-config-error.js';
import { mapping, Values } from './web-config-values.js';

export interface WebConfig {
  /** Undefined for plain HTTP. */
  readonly tls: ServerTls | undefined;
  /** bcrypt hashes by user; empty for no authentication. */
  readonly users: ReadonlyMap<string, string>;
  /** Headers of every response. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly rateLimit: RateLimit | undefined;
  /** Settings that have no effect here. */
  readonly warnings: readonly string[];
}

export interface RateLimit {
  /** Time in which one more request is allowed. */
  readonly intervalMs: number;
  /** Requests that may come at once. */
  readonly burst: number;
}

const SECTIONS = ['tls_server_config', 'http_server_config', 'basic_auth_users', 'rate_limit'];
/** The allowed values, in lower case; any value without them. */
const HEADERS: ReadonlyMap<string, readonly string[] | undefined> = new Map([
  ['Content-Security-Policy', undefined],
  ['X-Frame-Options', ['deny', 'sameorigin']],
  ['X-Content-Type-Options', ['nosniff']],
  ['X-XSS-Protection', undefined],
  ['Strict-Transport-Security', undefined],
]);
/** The minimum cost of bcrypt, and the maximum for a check in less than ten seconds. */
const MIN_COST = 4;
const MAX_COST = 17;

export class WebConfigFile {
  readonly #path: string;
  #current: WebConfig;
  #files: readonly string[] = [];
  #stamp: string;

  /** @throws WebConfigError */
  constructor(path: string) {
    this.#path = path;
    this.#current = this.#read();
    this.#stamp = this.#stampOf();
  }

  /** The current content. @throws WebConfigError when the file has become invalid. */
  current(): WebConfig {
    const stamp = this.#stampOf();
    if (stamp === this.#stamp) return this.#current;
    this.#current = this.#read();
    this.#stamp = this.#stampOf();
    return this.#current;
  }

  #read(): WebConfig {
    const path = this.#path;
    const { tls_server_config, http_server_config, basic_auth_users, rate_limit } = sectionsOf(
      this.#readText(path),
      path,
    );
    this.#files = [path];
    const readFile = (name: string) => {
      const full = resolve(dirname(path), name);
      this.#files = [...this.#files, full];
      return this.#readText(full);
    };
    const rateLimit = readRateLimit(rate_limit, `${path}: rate_limit`);
    const { headers, warnings } = readHttp(http_server_config, `${path}: http_server_config`);
    return {
      tls: readTlsConfig(tls_server_config, `${path}: tls_server_config`, readFile),
      users: readUsers(basic_auth_users, `${path}: basic_auth_users`),
      ...{ headers, rateLimit, warnings },
    };
  }

  #readText(path: string): string {
    try {
      return decodeUtf8(readFileSync(path));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new WebConfigError(`${path}: expected a readable file, got ${why}`, { cause: error });
    }
  }

  #stampOf(): string {
    return this.#files.map((file) => fileStamp(file).text).join('|');
  }
}

function sectionsOf(text: string, path: string) {
  try {
    const sections = mapping(parseYaml(text), path);
    new Values(sections, SECTIONS, path);
    return sections;
  } catch (error) {
    if (error instanceof WebConfigError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new WebConfigError(`${path}: ${message}`, { cause: error });
  }
}

function readUsers(given: unknown, path: string): ReadonlyMap<string, string> {
  const users = Object.entries(mapping(given, path));
  return new Map(users.map(([user, hash]) => [user, checkedHash(hash, `${path}.${user}`)]));
}

function checkedHash(hash: unknown, path: string): string {
  if (typeof hash !== 'string' || !/^\$2[aby]?\$\d\d\$[./A-Za-z0-9]{53}$/.test(hash)) {
    throw new WebConfigError(`${path}: expected a bcrypt hash`);
  }
  const cost = costOf(hash);
  if (cost >= MIN_COST && cost <= MAX_COST) return hash;
  const expected = `a bcrypt hash with a cost from ${MIN_COST} to ${MAX_COST}`;
  throw new WebConfigError(`${path}: expected ${expected}, got one with ${cost}`);
}

function readHttp(given: unknown, path: string): Pick<WebConfig, 'headers' | 'warnings'> {
  const values = new Values(given, ['http2', 'headers'], path);
  const warnings = values.flag('http2')
    ? [`${path}.http2: HTTP/2 is not supported; clients get HTTP/1.1`]
    : [];
  const section = mapping(given, path)['headers'];
  const named = new Values(section, [...HEADERS.keys()], `${path}.headers`);
  const headers = [...HEADERS].flatMap(([name, allowed]) => {
    const value = named.text(name);
    if (value === '') return [];
    if (allowed !== undefined && !allowed.includes(value.toLowerCase())) {
      throw named.error(name, allowed.join(' or '), value);
    }
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw named.error(name, 'a header without line breaks', value);
    }
    return [[name, value] as const];
  });
  return { headers, warnings };
}

function readRateLimit(given: unknown, path: string): RateLimit | undefined {
  const values = new Values(given, ['interval', 'burst'], path);
  const intervalMs = values.durationMs('interval');
  const burst = values.count('burst');
  return intervalMs === 0 ? undefined : { intervalMs, burst };
}
