/** The sources of destinations that are in use: looks at each again and again. */

import type { Requester, SourceSettings } from '../config/source-settings.js';
import type { LogLine } from '../shared/protocol.js';
import type { SourceHealth } from '../status/health.js';
import { FileSd } from './file-sd.js';
import type { Findings, Taken } from './found.js';
import { HttpSd } from './http-sd.js';
import { DispatcherList, KamailioCfg } from './kamailio-files.js';
import { Parser } from './parsing/parser.js';
import type { Reader } from './reader.js';
import { Source } from './source.js';

export interface DiscoveryOptions {
  readonly request: Requester;
  /** Resolves once they are watched. */
  readonly onFindings: (settings: SourceSettings, findings: Findings) => Promise<void>;
  readonly log: (line: LogLine) => void;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
}

export class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #parser = new Parser();
  readonly #sources = new Map<string, { readonly text: string; readonly source: Source }>();
  /** Looks that were asked for and have not ended yet. */
  readonly #looks = new Set<Promise<void>>();

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  /**
   * Uses these from now on; those with unchanged settings go on, and read their files if they have
   * changed: what has left the configuration may have come there. Resolves once every source in use has been looked at.
   */
  async set(all: readonly SourceSettings[]): Promise<void> {
    const texts = new Map(all.map((settings) => [settings.name, JSON.stringify(settings)]));
    const ended = new Map<string, Source>();
    for (const [name, { text, source }] of this.#sources) {
      if (texts.get(name) === text) continue;
      source.close();
      this.#sources.delete(name);
      ended.set(name, source);
    }
    for (const { source } of this.#sources.values()) this.#await(source.refresh());
    for (const settings of all.filter(({ name }) => !this.#sources.has(name))) {
      const source = new Source(
        settings,
        readerFor(settings, this.#options.request, this.#parser),
        {
          ...this.#options,
          onFindings: (findings) => this.#options.onFindings(settings, findings),
        },
      );
      const before = ended.get(settings.name);
      if (before !== undefined) source.takeOver(before);
      this.#sources.set(settings.name, { text: JSON.stringify(settings), source });
      this.#await(source.start());
    }
    while (this.#looks.size > 0) await Promise.allSettled(this.#looks);
  }

  #await(asked: Promise<void>): void {
    const look = asked.finally(() => this.#looks.delete(look));
    this.#looks.add(look);
  }

  /** What became of the findings of a source. */
  report(name: string, taken: Taken): void {
    this.#sources.get(name)?.source.report(taken);
  }

  health(): readonly SourceHealth[] {
    return [...this.#sources.values()].map(({ source }) => source.health);
  }

  close(): void {
    for (const { source } of this.#sources.values()) source.close();
    this.#sources.clear();
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
    default:
      return settings satisfies never;
  }
}
