/** TLS contexts: one for all connections of the same settings, made anew when a file changes. */

import { X509Certificate } from 'node:crypto';
import * as tls from 'node:tls';
import { filesIn, type TlsSettings, type TlsVersion } from '../../shared/destination.js';
import type { LogLine } from '../../shared/protocol.js';
import type { Files } from '../files.js';

const VERSIONS: Readonly<Record<TlsVersion, tls.SecureVersion>> = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
};

interface Entry {
  context: tls.SecureContext;
  /** What it was made of. */
  contents: string;
  /** The version of the files that it was last held against. */
  filesVersion: number;
}

const CERTIFICATE =
  /-----BEGIN (?:TRUSTED )?CERTIFICATE-----.*?-----END (?:TRUSTED )?CERTIFICATE-----/gs;

/**
 * The certificates of a file: a context would take what holds none, and then trust nobody.
 *
 * @throws Error when there is none, or one that is broken.
 */
function certificatesIn(text: string, path: string): string[] {
  const certificates = text.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) throw new Error(`${path} holds no certificate`);
  for (const certificate of certificates) new X509Certificate(certificate);
  return certificates;
}

export class TlsContexts {
  readonly #files: Files;
  readonly #log: (line: LogLine) => void;
  readonly #entries = new Map<string, Entry>();
  /** The same, for who asks at each ping. */
  readonly #known = new WeakMap<TlsSettings, Entry>();

  constructor(files: Files, log: (line: LogLine) => void) {
    this.#files = files;
    this.#log = log;
  }

  /**
   * The context of these settings, the same one until a file of theirs changes. Files that became
   * wrong are logged, and the last good context goes on.
   *
   * @throws Error when there never was a good one.
   */
  of(settings: TlsSettings): tls.SecureContext {
    const entry = this.#known.get(settings) ?? this.#entryOf(settings);
    if (entry.filesVersion !== this.#files.version) this.#renew(entry, settings);
    return entry.context;
  }

  #entryOf(settings: TlsSettings): Entry {
    const key = JSON.stringify(settings);
    const entry = this.#entries.get(key) ?? {
      context: this.#create(settings),
      contents: this.#contentsOf(settings),
      filesVersion: this.#files.version,
    };
    this.#entries.set(key, entry);
    this.#known.set(settings, entry);
    return entry;
  }

  #renew(entry: Entry, settings: TlsSettings): void {
    entry.filesVersion = this.#files.version;
    try {
      const contents = this.#contentsOf(settings);
      if (contents === entry.contents) return;
      entry.context = this.#create(settings);
      entry.contents = contents;
    } catch (error) {
      this.#log({
        level: 'error',
        message: 'a changed file is wrong; what it held before stays in use',
        fields: { error: error instanceof Error ? error.message : String(error) },
      });
    }
  }

  #contentsOf(settings: TlsSettings): string {
    return JSON.stringify(filesIn(settings).map((file) => this.#files.text(file)));
  }

  #create(settings: TlsSettings): tls.SecureContext {
    const { caFile, certFile, keyFile, keyPassphraseFile, minVersion, maxVersion } = settings;
    const text = (path: string) => this.#files.text(path);
    const isOld = minVersion === 'TLS10' || minVersion === 'TLS11';
    return tls.createSecureContext({
      minVersion: VERSIONS[minVersion],
      maxVersion: VERSIONS[maxVersion],
      // OpenSSL 3 speaks TLS 1.0 and 1.1 only at its lowest level of security.
      ...(isOld ? { ciphers: `${tls.DEFAULT_CIPHERS}:@SECLEVEL=0` } : {}),
      ...(caFile === '' ? {} : { ca: certificatesIn(text(caFile), caFile) }),
      ...(certFile === '' ? {} : { cert: text(certFile) }),
      ...(keyFile === '' ? {} : { key: text(keyFile) }),
      ...(keyPassphraseFile === '' ? {} : { passphrase: text(keyPassphraseFile).trimEnd() }),
    });
  }
}
