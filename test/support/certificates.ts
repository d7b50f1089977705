/** Certificates for one test, created by openssl. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CleanUps, folder, runToEnd } from './process.js';

const DAY_MS = 86_400_000;

/** A certificate, followed by the chain that a server sends with it, and its key. */
export interface Issued {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

export interface CertificateSpec {
  /** Common name. */
  readonly name: string;
  /** As openssl writes it: `DNS:a.example,URI:sip:a.example,IP:127.0.0.1`; undefined for none. */
  readonly alternative?: string;
  /** Days from now; negative for the past. */
  readonly fromDays?: number;
  readonly untilDays?: number;
  /** May issue certificates itself. */
  readonly isAuthority?: boolean;
  /** The hash of the signature, as openssl names it; by default `sha256`. */
  readonly digest?: string;
  /** Length of an RSA key; by default the key is an EC key. */
  readonly rsaBits?: number;
}

/** Issues certificates. */
export class Authority {
  readonly #path: string;
  readonly #own: Issued;
  #issued = 0;

  /** A root authority, with a self-signed certificate. */
  static root(t: CleanUps, name = 'Test Root'): Authority {
    const path = folder(t);
    const [certFile, keyFile] = [join(path, 'root.pem'), join(path, 'root.key')];
    const subject = ['-subj', `/CN=${name}`, '-days', '3650'];
    openssl(['req', '-x509', ...KEY, '-keyout', keyFile, '-out', certFile, ...subject]);
    return new Authority(path, read(certFile, keyFile));
  }

  private constructor(path: string, own: Issued) {
    this.#path = path;
    this.#own = own;
  }

  /** The file for `ca_file`. */
  get caFile(): string {
    return this.#own.certFile;
  }

  get ca(): string {
    return this.#own.cert;
  }

  issue(spec: CertificateSpec): Issued {
    const { name, alternative, fromDays = -1, untilDays = 365, isAuthority = false } = spec;
    const { digest = 'sha256', rsaBits } = spec;
    const at = join(this.#path, `${++this.#issued}`);
    mkdirSync(at);
    const file = (suffix: string) => join(at, suffix);
    writeFileSync(file('index.txt'), '');
    writeFileSync(
      file('ca.cnf'),
      [
        '[ca]\ndefault_ca = d\n[d]',
        `new_certs_dir = ${at}\ndatabase = ${file('index.txt')}\nrand_serial = yes`,
        `default_md = ${digest}\npolicy = p\nunique_subject = no\nx509_extensions = e`,
        '[p]\ncommonName = supplied\n[e]',
        `basicConstraints = CA:${isAuthority ? 'TRUE' : 'FALSE'}`,
        alternative === undefined ? '' : `subjectAltName = ${alternative}`,
        '',
      ].join('\n'),
    );
    const request = ['-keyout', file('key.pem'), '-out', file('csr.pem'), '-subj', `/CN=${name}`];
    const key = rsaBits === undefined ? KEY : ['-newkey', `rsa:${rsaBits}`, '-nodes'];
    openssl(['req', '-new', ...key, ...request]);
    openssl([
      ...['ca', '-batch', '-notext', '-config', file('ca.cnf'), '-in', file('csr.pem')],
      ...['-cert', this.#own.certFile, '-keyfile', this.#own.keyFile, '-out', file('cert.pem')],
      ...['-startdate', timeOf(fromDays), '-enddate', timeOf(untilDays)],
    ]);
    return read(file('cert.pem'), file('key.pem'));
  }

  /** An authority below this one. Servers must send its certificate with those that it issues. */
  intermediate(name = 'Test Intermediate', spec: Partial<CertificateSpec> = {}): Authority {
    const own = this.issue({ name, isAuthority: true, ...spec });
    return new Authority(join(own.certFile, '..'), own);
  }
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'] as const;

function read(certFile: string, keyFile: string): Issued {
  return {
    certFile,
    keyFile,
    cert: readFileSync(certFile, 'utf8'),
    key: readFileSync(keyFile, 'utf8'),
  };
}

/** In the format of openssl: `20261124110000Z`. */
function timeOf(days: number): string {
  const iso = new Date(Date.now() + days * DAY_MS).toISOString();
  return `${iso.slice(0, 19).replace(/[-:T]/g, '')}Z`;
}

function openssl(args: readonly string[]): void {
  const { status, stderr } = runToEnd('openssl', args);
  if (status !== 0) throw new Error(`openssl ${args.join(' ')}\n${stderr}`);
}
