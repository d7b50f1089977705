/** The files that settings name: certificates, keys, passwords. */

import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { HttpSettings } from '../platform/http.js';
import { filesIn, type PingSettings, type TlsSettings } from '../shared/destination.js';
import { secretIn } from '../shared/secret-file.js';
import { certificatesIn, isKeyOf, readKey, secureContextOptions } from '../shared/tls-options.js';
import type { Config } from './config.js';

export interface FileProblem {
  /** The path of the setting: `modules.m.tls_config.ca_file`. */
  readonly path: string;
  readonly problem: string;
}

/** Settings with files, and the path of the mapping that holds them, which ends in a dot or is empty. */
type At<T> = readonly [path: string, settings: T];

/** The path of the setting that names each file; the first one, for what others inherit. */
export function namedFiles(config: Config): ReadonlyMap<string, string> {
  const named = new Map<string, string>();
  const add = (path: string, file = '') => {
    if (file !== '' && !named.has(file)) named.set(file, path);
  };
  const addTls = (path: string, tls: TlsSettings) => {
    add(`${path}tls_config.ca_file`, tls.caFile);
    add(`${path}tls_config.cert_file`, tls.certFile);
    add(`${path}tls_config.key_file`, tls.keyFile);
    add(`${path}tls_config.key_passphrase_file`, tls.keyPassphraseFile);
  };
  for (const [path, { tls, auth }] of pingSettings(config)) {
    addTls(path, tls);
    add(`${path}auth.password_file`, auth?.passwordFile);
  }
  for (const [path, { tls, basicAuth, authorization }] of httpSettings(config)) {
    addTls(path, tls);
    add(`${path}basic_auth.password_file`, basicAuth?.passwordFile);
    add(`${path}authorization.credentials_file`, authorization?.credentialsFile);
  }
  for (const [index, { secretFile }] of config.webhooks.entries()) {
    add(`webhooks[${index}].secret_file`, secretFile);
  }
  return named;
}

/** What is wrong with the contents of these files. What several settings share is reported once. */
export function fileProblems(
  config: Config,
  contents: ReadonlyMap<string, string>,
): readonly FileProblem[] {
  const text = (path: string) => {
    const content = contents.get(path);
    if (content === undefined) throw new Error(`${path} could not be read`);
    return content;
  };
  const problems = new Map<string, FileProblem>();
  const add = (path: string, problem: string | undefined) => {
    if (problem !== undefined && !problems.has(problem)) problems.set(problem, { path, problem });
  };
  const addTls = (path: string, tls: TlsSettings) => {
    const found = tlsProblem(tls, text);
    if (found !== undefined) add(`${path}tls_config${found.path}`, found.problem);
  };
  const addSecret = (path: string, file = '') => {
    if (file === '' || isOneLine(text(file))) return;
    add(path, `expected one line in ${file}, got none or several`);
  };
  for (const [path, { tls, auth }] of pingSettings(config)) {
    addTls(path, tls);
    addSecret(`${path}auth.password_file`, auth?.passwordFile);
  }
  for (const [path, { tls, authorization }] of httpSettings(config)) {
    addTls(path, tls);
    addSecret(`${path}authorization.credentials_file`, authorization?.credentialsFile);
  }
  return [...problems.values()];
}

/** The settings of every module, and of every destination that has its own. */
function pingSettings({ modules, destinations }: Config): readonly At<PingSettings>[] {
  const known = new Set(Object.values(modules));
  return [
    ...Object.entries(modules).map(
      ([name, settings]) => [name === 'default' ? '' : `modules.${name}.`, settings] as const,
    ),
    ...destinations
      .map(({ settings }, index) => [`destinations[${index}].`, settings] as const)
      .filter(([, settings]) => !known.has(settings)),
  ];
}

/** The settings of every server that is asked or called by HTTP. */
function httpSettings({ sources, webhooks, upstream }: Config): readonly At<HttpSettings>[] {
  return [
    ...(['http_sd', 'kamailio_rpc'] as const).flatMap((kind) =>
      sources
        .flatMap((source) => (source.kind === kind ? [source.http] : []))
        .map((http, index) => [`discovery.${kind}[${index}].`, http] as const),
    ),
    ...webhooks.map(({ http }, index) => [`webhooks[${index}].`, http] as const),
    ...at('web.prometheus_url.', upstream.prometheus),
    ...at('web.alertmanager_url.', upstream.alertmanager),
  ];
}

function at(path: string, http: HttpSettings | undefined): readonly At<HttpSettings>[] {
  return http === undefined ? [] : [[path, http]];
}

/** The first problem with the files of TLS settings; its path begins behind `tls_config`. */
function tlsProblem(tls: TlsSettings, text: (path: string) => string): FileProblem | undefined {
  const { caFile, certFile, keyFile, keyPassphraseFile } = tls;
  const files = filesIn(tls);
  if (files.length === 0) return undefined;
  const passphrase = keyPassphraseFile === '' ? undefined : secretIn(text(keyPassphraseFile));
  for (const [setting, file, expected, read] of [
    ['ca_file', caFile, 'PEM certificates', certificatesIn],
    ['cert_file', certFile, 'a PEM certificate', (pem: string) => new X509Certificate(pem)],
    ['key_file', keyFile, 'a PEM private key', (pem: string) => readKey(pem, passphrase)],
  ] as const) {
    const why = file === '' ? undefined : thrownBy(() => read(text(file)));
    if (why === undefined) continue;
    return { path: `.${setting}`, problem: `expected ${expected} in ${file}, got ${why}` };
  }
  if (certFile !== '' && keyFile !== '' && !isKeyOf(text(certFile), text(keyFile), passphrase)) {
    const expected = `the key of the certificate in ${certFile}`;
    return { path: '.key_file', problem: `expected ${expected}, got another key in ${keyFile}` };
  }
  const why = thrownBy(() => createSecureContext(secureContextOptions(tls, text)));
  if (why === undefined) return undefined;
  return { path: '', problem: `expected usable TLS files (${files.join(', ')}), got ${why}` };
}

function thrownBy(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function isOneLine(text: string): boolean {
  return /^[^\r\n\0]+(?:\r?\n)?$/.test(text);
}
