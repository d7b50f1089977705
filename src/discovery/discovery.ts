/** Runs the discovery sources. */

import type { SourceSettings } from '../config/source-settings.js';
import type { Requester } from '../platform/http.js';
import type { Clock } from '../shared/clock.js';
import type { LogLine } from '../shared/protocol.js';
import type { SourceHealth } from '../status/health.js';
import { FileSd } from './file-sd.js';
import type { Findings, Reconciled } from './found.js';
import { HttpSd } from './http-sd.js';
import { DispatcherList, KamailioCfg } from './kamailio-files.js';
import { KamailioRpc } from './kamailio-rpc.js';
import { Parser } from './parsing/parser.js';
import type { Reader } from './reader.js';
import { Source } from './source.js';

export interface DiscoveryOptions {
  readonly request: Requester;
  /** Resolves when the findings are monitored. */
  readonly onFindings: (settings: SourceSettings, findings: Findings) => Promise<unknown>;
  readonly log: (line: LogLine) => void;
  readonly clock: Clock;
}

export class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #parser: Parser;
  readonly #sources = new Map<string, { readonly key: string; readonly source: Source }>();
  /** Reads that `set` has requested and that have not ended. */
  readonly #reads = new Set<Promise<void>>();

  constructor(options: DiscoveryOptions) {
    this.#options = options;
    this.#parser = new Parser(options.clock);
  }

  /**
   * Replaces the sources. A source with unchanged settings continues and is read if its files have changed,
   * because a destination that was removed from the configuration may have moved there. Resolves when every
   * source has been read.
   */
  async set(all: readonly SourceSettings[]): Promise<void> {
    const keys = new Map(all.map((settings) => [settings.name, JSON.stringify(settings)]));
    const replaced = new Map<string, Source>();
    for (const [name, { key, source }] of this.#sources) {
      if (keys.get(name) === key) continue;
      source.close();
      this.#sources.delete(name);
      replaced.set(name, source);
    }
    for (const { source } of this.#sources.values()) this.#track(source.refresh());
    for (const settings of all.filter(({ name }) => !this.#sources.has(name))) {
      const source = this.#open(settings, replaced.get(settings.name));
      this.#sources.set(settings.name, { key: JSON.stringify(settings), source });
      this.#track(source.start());
    }
    while (this.#reads.size > 0) await Promise.allSettled(this.#reads);
  }

  /** Passes the result of reconciling its findings to a source. */
  report(name: string, reconciled: Reconciled): void {
    this.#sources.get(name)?.source.report(reconciled);
  }

  /** Reads a source now. Resolves after that read. Never rejects. */
  async readNow(name: string): Promise<void> {
    await this.#sources.get(name)?.source.readNow();
  }

  health(): readonly SourceHealth[] {
    return [...this.#sources.values()].map(({ source }) => source.health);
  }

  close(): void {
    for (const { source } of this.#sources.values()) source.close();
    this.#sources.clear();
  }

  #open(settings: SourceSettings, predecessor: Source | undefined): Source {
    const { log, clock, request, onFindings } = this.#options;
    const reader = readerFor(settings, request, this.#parser);
    return new Source(
      settings,
      reader,
      { log, clock, onFindings: (findings) => onFindings(settings, findings) },
      predecessor,
    );
  }

  /** @param read never rejects. */
  #track(read: Promise<void>): void {
    const tracked = read.finally(() => this.#reads.delete(tracked));
    this.#reads.add(tracked);
  }
}

function readerFor(settings: SourceSettings, request: Requester, parser: Parser): Reader {
  switch (settings.kind) {
    case 'file_sd':
      return new FileSd(settings.files, parser);
    case 'http_sd':
      return new HttpSd({
        ...{ settings: settings.http, refreshMs: settings.refreshMs, place: settings.name },
        ...{ request, parser },
      });
    case 'dispatcher_list':
      return new DispatcherList(settings.file, parser);
    case 'kamailio_cfg':
      return new KamailioCfg(settings.file, parser);
    case 'kamailio_rpc':
      return new KamailioRpc({ settings, request, parser });
    default:
      return settings satisfies never;
  }
}
