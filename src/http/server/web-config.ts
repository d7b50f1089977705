/**
 * The file of `--web.config.file`: TLS and basic authentication of the HTTP server, in the format
 * that the Prometheus exporters share. It and the certificates are read again when they change.
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

/** What is wrong with the file, with its path. */
export class WebConfigError extends Error {
  override readonly name = 'WebConfigError';
}

export interface WebConfig {
  /** Undefined for plain HTTP. */
  readonly tls: (SecureContextOptions & TlsOptions) | undefined;
  /** bcrypt hashes by user; empty when anybody may come. */
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
/** bcrypt has none below. With one above, a comparison takes more than ten seconds. */
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

  /** The file as it is now. @throws WebConfigError when it has become wrong. */
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
      const wanted = `a bcrypt hash with a cost from ${MIN_COST} to ${MAX_COST}`;
      throw new WebConfigError(`${path}: expected ${wanted}, got one with ${cost}`);
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

  #readTls(given: Mapping): SecureContextOptions & TlsOptions {
    const path = `${this.#path}: tls_server_config`;
    onlyKeys(given, TLS_KEYS, path);
    const file = (key: string): string => {
      const name = given[key];
      if (typeof name !== 'string' || name === '') {
        throw new WebConfigError(`${path}.${key}: expected the name of a file`);
      }
      const full = resolve(dirname(this.#path), name);
      this.#files = [...this.#files, full];
      return this.#readText(full);
    };
    const version = (key: string, otherwise: SecureVersion): SecureVersion => {
      const asked = given[key];
      if (asked === undefined) return otherwise;
      const known = TLS_VERSIONS.find((version) => version === asked);
      if (known !== undefined) return SECURE_VERSIONS[known];
      const wanted = TLS_VERSIONS.join(', ');
      throw new WebConfigError(`${path}.${key}: expected one of ${wanted}, got ${show(asked)}`);
    };
    const clientAuth = given['client_auth_type'] ?? '';
    if (!CLIENT_AUTH.some((known) => known === clientAuth)) {
      const wanted = CLIENT_AUTH.slice(1).join(', ');
      throw new WebConfigError(
        `${path}.client_auth_type: expected one of ${wanted}, got ${show(clientAuth)}`,
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

/** @throws WebConfigError when the certificate would not be shown for want of its key. */
function checkKey(certificate: string, key: string, path: string): void {
  const wanted = `${path}.key_file: expected the key of the certificate in cert_file`;
  try {
    if (isKeyOf(certificate, key)) return;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new WebConfigError(`${wanted}, got ${why}`, { cause: error });
  }
  throw new WebConfigError(`${wanted}, got another key`);
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

function onlyKeys(given: Mapping, known: readonly string[], path: string): void {
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue;
    throw new WebConfigError(`${path}: expected one of ${known.join(', ')}, got ${key}`);
  }
}
