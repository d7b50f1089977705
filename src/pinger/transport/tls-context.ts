/** TLS contexts: one for all connections of the same settings, made anew when a file changes. */

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
  readonly context: tls.SecureContext;
  /** What it was made of. */
  readonly contents: string;
  filesVersion: number;
}

export class TlsContexts {
  readonly #files: Files;
  readonly #log: (line: LogLine) => void;
  readonly #entries = new Map<string, Entry>();

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
    const key = JSON.stringify(settings);
    const known = this.#entries.get(key);
    if (known?.filesVersion === this.#files.version) return known.context;
    try {
      const contents = JSON.stringify(filesIn(settings).map((file) => this.#files.text(file)));
      const isSame = known?.contents === contents;
      const context = isSame ? known.context : this.#create(settings);
      const filesVersion = this.#files.version;
      this.#entries.set(key, { context, contents, filesVersion });
      return context;
    } catch (error) {
      if (known === undefined) throw error;
      known.filesVersion = this.#files.version;
      this.#log({
        level: 'error',
        message: 'changed TLS files are wrong; what they held before stays in use',
        fields: { error: error instanceof Error ? error.message : String(error) },
      });
      return known.context;
    }
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
      ...(caFile === '' ? {} : { ca: text(caFile) }),
      ...(certFile === '' ? {} : { cert: text(certFile) }),
      ...(keyFile === '' ? {} : { key: text(keyFile) }),
      ...(keyPassphraseFile === '' ? {} : { passphrase: text(keyPassphraseFile).trimEnd() }),
    });
  }
}
