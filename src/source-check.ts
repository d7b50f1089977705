/** Reads the discovery sources once, for `--config.check`. */

import type { Loaded } from './config/load.js';
import type { SourceSettings } from './config/source-settings.js';
import { Discovery } from './discovery/discovery.js';
import type { Reconciled, Remark } from './discovery/found.js';
import { Reconciler } from './discovery/reconciler.js';
import { requester } from './platform/http-client.js';
import { DestinationRegistry } from './registry/registry.js';
import type { Clock } from './shared/clock.js';

/** Maximum time for all sources; each server also has its own `timeout`. */
const TIMEOUT_MS = 60_000;
/** Maximum number of remarks per source in the text. */
const MAX_REMARKS = 100;

export interface CheckedSource {
  readonly name: string;
  /** Whether it was to be read: servers are read only by the full check. */
  readonly isRead: boolean;
  /** Number of destinations that would be monitored. */
  readonly destinations: number;
  /** Entries that are skipped, adjusted or duplicate. */
  readonly remarks: readonly Remark[];
  /** Why it, or a part of it, cannot be read; empty if it can. */
  readonly error: string;
}

/** Reads the sources of a configuration as a running exporter does, but pings nothing. */
export async function checkSources(
  { config, files }: Loaded,
  { version, clock }: { readonly version: string; readonly clock: Clock },
): Promise<readonly CheckedSource[]> {
  const isRead = (source: SourceSettings) => config.check === 'full' || !('http' in source);
  const reconciled = new Map<string, Reconciled>();
  const errors = new Map<string, string>();
  const registry = new DestinationRegistry({ monitor: () => {}, unmonitor: () => {} });
  const reconciler = new Reconciler(registry, config, (name, result) => {
    reconciled.set(name, result);
  });
  const userAgent = `sip-keepalive-exporter/${version}`;
  const discovery = new Discovery({
    ...{ request: requester({ userAgent, files: () => files.contents(), clock }), clock },
    onFindings: (settings, findings) => reconciler.apply(settings, findings),
    log: ({ event, fields: { source, error } }) => {
      if (event === 'discovery_failed') errors.set(String(source), String(error));
    },
  });
  await reconciler.use(config);
  await withTimeout(discovery.set(config.sources.filter(isRead)), clock);
  const isUp = new Map(discovery.health().map((health) => [health.source, health.isUp]));
  discovery.close();
  const late = `expected to be read within ${TIMEOUT_MS / 1000} s, took longer`;
  return config.sources.map((source): CheckedSource => {
    const { name } = source;
    const { destinations = 0, remarks = [] } = reconciled.get(name) ?? {};
    const error = isUp.get(name) === false ? (errors.get(name) ?? late) : '';
    return { name, isRead: isRead(source), destinations, remarks, error };
  });
}

/** Resolves with `work`, or after TIMEOUT_MS. */
async function withTimeout(work: Promise<void>, clock: Clock): Promise<void> {
  let cancel = () => {};
  const timeout = new Promise<void>((resolve) => {
    cancel = clock.after(TIMEOUT_MS, resolve);
  });
  await Promise.race([work, timeout]);
  cancel();
}

/** One line for each source and for each of its remarks. */
export function checkText(sources: readonly CheckedSource[]): string {
  const lines = sources.flatMap(({ name, isRead, destinations, remarks, error }) => {
    if (!isRead) return [`${name}: not read; --config.check=full reads servers too`];
    const failure = error === '' ? '' : `, cannot be read: ${error}`;
    const shown = remarks
      .slice(0, MAX_REMARKS)
      .map(({ kind, place, reason }) => `  ${place}: ${kind}: ${reason}`);
    const more = remarks.length - shown.length;
    if (more > 0) shown.push(`  and ${more} more entries that are skipped, adjusted or duplicate`);
    return [`${name}: ${destinations} destinations${failure}`, ...shown];
  });
  return lines.map((line) => `${line}\n`).join('');
}
