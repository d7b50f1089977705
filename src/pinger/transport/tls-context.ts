/** TLS contexts: connections with the same settings share one, which is replaced when a file changes. */

import * as tls from 'node:tls';
import { filesIn, type TlsSettings } from '../../shared/destination.js';
import type { Files } from '../../shared/file-contents.js';
import type { LogLine } from '../../shared/protocol.js';
import { secureContextOptions } from '../../shared/tls-options.js';

interface Entry {
  context: tls.SecureContext;
  /** The contents of the files that the context was created from. */
  contents: string;
  /** The version of the files at the last comparison. */
  filesVersion: number;
}

export class TlsContexts {
  readonly #files: Files;
  readonly #log: (line: LogLine) => void;
  readonly #entries = new Map<string, Entry>();
  /** The same entries by object, for a quick lookup at each ping. */
  readonly #known = new WeakMap<TlsSettings, Entry>();

  constructor(files: Files, log: (line: LogLine) => void) {
    this.#files = files;
    this.#log = log;
  }

  /**
   * The context of these settings, which stays the same until a file changes. If the files become
   * invalid, that is logged and the last valid context stays in use.
   *
   * @throws Error when the files have never been valid.
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
        event: 'tls_files_invalid',
        message: 'changed TLS files are invalid; using their previous contents',
        fields: { error: error instanceof Error ? error.message : String(error) },
      });
    }
  }

  #contentsOf(settings: TlsSettings): string {
    return JSON.stringify(filesIn(settings).map((file) => this.#files.text(file)));
  }

  #create(settings: TlsSettings): tls.SecureContext {
    return tls.createSecureContext(
      secureContextOptions(settings, (path) => this.#files.text(path)),
    );
  }
}
