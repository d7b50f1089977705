/**
 * Reads the file of `--web.config.file`: TLS and basic authentication of the HTTP server, in the format of
 * the Prometheus exporters. The file and its certificates are read again when they change.
 */

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { SecureContextOptions, SecureVersion, TlsOptions } from 'node:tls';
import { fileStamp } from '../../platform/file-stamp.js';
import { show } from '../../platform/values.js';
import { parseYaml } from '../../platform/yaml.js';
import { TLS_VERSIONS } from '../../shared/destination.js';
import { decodeUtf8 } from '../../shared/text.js';
import { isKeyOf, SECURE_VERSIONS } from '../../shared/tls-options.js';
import { costOf } from '../guards/passwords.js';

/** The file is invalid or cannot be read; the message contains its path. */
export class WebConfigError extends Error {
  override readonly name = 'WebConfigError';
}

export interface WebConfig {
  /** Undefined for plain HTTP. */
  readonly tls: (SecureContextOptions & TlsOptions) | undefined;
  /** bcrypt hashes by user; empty for no authentication. */
  readonly users: ReadonlyMap<string, string>;
}

type Mapping = Readonly<Record<string, unknown>>;

const TLS_KEYS = [
  'cert_file',
  'key_file',
  'client_auth_type',
  'client_ca_file',
  'min_version',
  'max_version',
];
/** The minimum cost of bcrypt, and the maximum for a check in less than ten seconds. */
const MIN_COST = 4;
const MAX_COST = 17;
const CLIENT_AUTH = ['', 'NoClientCert', 'RequireAndVerifyClientCert'];

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
    const content = mapping(parse(this.#readText(this.#path), this.#path), this.#path);
    onlyKeys(content, ['tls_server_config', 'basic_auth_users'], this.#path);
    const tls = content['tls_server_config'];
    const users = mapping(content['basic_auth_users'] ?? {}, `${this.#path}: basic_auth_users`);
    for (const [user, hash] of Object.entries(users)) {
      const path = `${this.#path}: basic_auth_users.${user}`;
      if (typeof hash !== 'string' || !/^\$2[aby]?\$\d\d\$[./A-Za-z0-9]{53}$/.test(hash)) {
        throw new WebConfigError(`${path}: expected a bcrypt hash`);
      }
      const cost = costOf(hash);
      if (cost >= MIN_COST && cost <= MAX_COST) continue;
      const expected = `a bcrypt hash with a cost from ${MIN_COST} to ${MAX_COST}`;
      throw new WebConfigError(`${path}: expected ${expected}, got one with ${cost}`);
    }
    this.#files = [this.#path];
    return {
      tls:
        tls === undefined
          ? undefined
          : this.#readTls(mapping(tls, `${this.#path}: tls_server_config`)),
      users: new Map(Object.entries(users).map(([user, hash]) => [user, String(hash)])),
    };
  }

  #readTls(settings: Mapping): SecureContextOptions & TlsOptions {
    const path = `${this.#path}: tls_server_config`;
    onlyKeys(settings, TLS_KEYS, path);
    const file = (key: string): string => {
      const name = settings[key];
      if (typeof name !== 'string' || name === '') {
        throw new WebConfigError(`${path}.${key}: expected a file name`);
      }
      const full = resolve(dirname(this.#path), name);
      this.#files = [...this.#files, full];
      return this.#readText(full);
    };
    const version = (key: string, fallback: SecureVersion): SecureVersion => {
      const name = settings[key];
      if (name === undefined) return fallback;
      const known = TLS_VERSIONS.find((version) => version === name);
      if (known !== undefined) return SECURE_VERSIONS[known];
      const expected = TLS_VERSIONS.join(', ');
      throw new WebConfigError(`${path}.${key}: expected one of ${expected}, got ${show(name)}`);
    };
    const clientAuth = settings['client_auth_type'] ?? '';
    if (!CLIENT_AUTH.some((known) => known === clientAuth)) {
      const expected = CLIENT_AUTH.slice(1).join(', ');
      throw new WebConfigError(
        `${path}.client_auth_type: expected one of ${expected}, got ${show(clientAuth)}`,
      );
    }
    const isClientVerified = clientAuth === 'RequireAndVerifyClientCert';
    const [cert, key] = [file('cert_file'), file('key_file')];
    checkKey(cert, key, path);
    return {
      cert,
      key,
      minVersion: version('min_version', 'TLSv1.2'),
      maxVersion: version('max_version', 'TLSv1.3'),
      requestCert: isClientVerified,
      rejectUnauthorized: isClientVerified,
      ...(isClientVerified ? { ca: file('client_ca_file') } : {}),
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

/** @throws WebConfigError when the key does not match the certificate. */
function checkKey(certificate: string, key: string, path: string): void {
  const expected = `${path}.key_file: expected the key of the certificate in cert_file`;
  try {
    if (isKeyOf(certificate, key)) return;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new WebConfigError(`${expected}, got ${why}`, { cause: error });
  }
  throw new WebConfigError(`${expected}, got another key`);
}

function parse(text: string, path: string): unknown {
  try {
    return parseYaml(text) ?? {};
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new WebConfigError(`${path}: ${message}`, { cause: error });
  }
}

function mapping(value: unknown, path: string): Mapping {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new WebConfigError(`${path}: expected a mapping`);
}

function onlyKeys(mapping: Mapping, known: readonly string[], path: string): void {
  for (const key of Object.keys(mapping)) {
    if (known.includes(key)) continue;
    throw new WebConfigError(`${path}: expected one of ${known.join(', ')}, got ${key}`);
  }
}
