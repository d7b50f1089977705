/**
 * For Node.js programs that watch SIP destinations themselves: the developer's API of Kamailio's
 * `keepalive`. Nothing is served unless the program does so.
 */

import { setImmediate as nextRound } from 'node:timers/promises';
import { load } from './config/load.js';
import { createEngine } from './engine.js';
import { TEXT } from './metrics/exporter-metrics.js';
import { exposition } from './metrics/exposition.js';
import { isOwner, OWNER_WANTED, show } from './platform/values.js';
import { readVersion } from './platform/version.js';
import { systemClock } from './shared/clock.js';
import type { RegisteredDestination } from './shared/destination.js';
import type { DownReason, FailureReason, TransportName } from './shared/outcome.js';
import type { LogLine, PingReport } from './shared/protocol.js';
import { type IsAliveCode, isAliveCode, type State } from './shared/state.js';
import { UriError } from './shared/uri.js';
import { destinationView } from './status/describe.js';
import { bestOf, find } from './status/find.js';
import type { StatusContext } from './status/freshness.js';
import type { StateChange } from './status/state-change.js';
import type { DestinationBrief, DestinationView, TargetView, TlsView } from './status/views.js';

export type {
  DestinationBrief,
  DestinationView,
  DownReason,
  FailureReason,
  IsAliveCode,
  LogLine,
  State,
  TargetView,
  TlsView,
  TransportName,
};

export interface KeepAliveOptions {
  /**
   * In the words of the configuration file: settings of pings, `modules`, `dns`, `destinations`. Names
   * of files are relative to the working directory.
   */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Told of what an operator should know. */
  readonly log?: (line: LogLine) => void;
}

export interface AddOptions {
  /** On whose behalf; a destination is pinged once however many want it, and gone with the last. */
  readonly owner: string;
  /** Seconds between two pings. */
  readonly pingInterval?: number;
  /** A name of one of `modules`. */
  readonly module?: string;
  /** Its identity; by default the canonical URI. */
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Called when the verdict becomes another one; also for the first. */
  readonly onStateChange?: (change: VerdictChange) => void;
  /** Called for each ping that ends. */
  readonly onResponse?: (ping: PingEnd) => void;
}

export interface VerdictChange {
  readonly destination: string;
  readonly uri: string;
  readonly from: State;
  readonly state: State;
  /** As `isAlive` would answer. */
  readonly code: IsAliveCode;
  readonly reason: DownReason | undefined;
  /** What exactly went wrong, in words; empty when no more is known than the reason. */
  readonly detail: string;
  readonly at: Date;
}

export interface PingEnd {
  readonly destination: string;
  readonly uri: string;
  readonly transport: TransportName;
  /** Such as `192.0.2.1:5060`. */
  readonly address: string;
  readonly isAlive: boolean;
  /** Why it was not. */
  readonly reason: FailureReason | undefined;
  /** SIP status code of the answer; undefined when there was none. */
  readonly code: number | undefined;
  /** Round-trip time in seconds; undefined when there was no answer. */
  readonly rtt: number | undefined;
  readonly at: Date;
}

/** What a prom-client registry is asked for. */
export interface KeepAliveRegister {
  readonly contentType: string;
  metrics(): Promise<string>;
}

export interface KeepAlive {
  /**
   * Watches a destination on behalf of an owner. False when that owner has it already.
   *
   * @throws Error saying what was wanted and what came.
   */
  add(uri: string, options: AddOptions): boolean;
  /** Lets go of it. False when the owner does not have it. */
  remove(uri: string, owner: string): boolean;
  /** Of a name or a URI: 1 up, 2 down, -1 not known (not yet, or not watched). */
  isAlive(destination: string): IsAliveCode;
  /** Every destination, as `/api/v1/destinations` of the exporter shows it. */
  list(): readonly DestinationView[];
  /** The metrics of destinations, to be put beside one's own. */
  readonly register: KeepAliveRegister;
  /** Ends the pings and their thread; again, nothing more. */
  close(): Promise<void>;
}

type Listeners = Pick<AddOptions, 'onStateChange' | 'onResponse'>;

const SOURCE = 'library';
const OWNER = 'config';

/**
 * Starts to ping.
 *
 * @throws Error with every fault of `config`, a line each.
 */
export function createKeepAlive({
  config: content = {},
  log = () => {},
}: KeepAliveOptions = {}): KeepAlive {
  const flags = { given: {}, help: false, version: false };
  const { config, files } = load({ flags, env: {}, version: readVersion(), content });
  /** By name of the destination, and then by owner. */
  const listeners = new Map<string, Map<string, Listeners>>();
  const listenersOf = (name: string) => [...(listeners.get(name)?.values() ?? [])];
  const guarded = (call: () => unknown) => {
    // A listener may be asynchronous, and then fails later.
    void (async () => call())().catch((error: unknown) => {
      log({ level: 'error', message: 'a listener failed', fields: { error: String(error) } });
    });
  };
  const { registry, supervisor, changes, ledger } = createEngine({
    dns: config.dns,
    files: () => files.contents(),
    log,
    clock: systemClock,
    onPings: (pings) => {
      for (const ping of pings) {
        const destination = registry.at(ping.destination)?.destination;
        if (destination === undefined) continue;
        const end = pingEnd(destination, ping);
        for (const { onResponse } of listenersOf(destination.name))
          guarded(() => onResponse?.(end));
      }
    },
  });
  changes.subscribe((change) => {
    const told = verdictChange(change);
    for (const { onStateChange } of listenersOf(told.destination)) {
      guarded(() => onStateChange?.(told));
    }
  });
  const watching = { ledger, registry, now: () => systemClock.epoch() };
  let closed: Promise<void> | undefined;
  const onWrong = (error: unknown) =>
    log({ level: 'error', message: 'a changed file is wrong', fields: { error: String(error) } });
  files.watch(systemClock, () => supervisor.sendFiles(), onWrong);
  supervisor.start();
  registry.set(
    OWNER,
    config.destinations.map((destination) => ({ owner: OWNER, destination })),
  );

  return {
    add(uri, { owner, pingInterval, onStateChange, onResponse, ...rest }) {
      if (closed !== undefined) throw new Error('expected to be open, got closed');
      if (!isOwner(owner)) throw new Error(`owner: expected ${OWNER_WANTED}, got ${show(owner)}`);
      const given = { uri, ping_interval: pingInterval, ...rest };
      const entry = Object.entries(given).filter(([, value]) => value !== undefined);
      const destination = config.readEntry(Object.fromEntries(entry));
      const { name } = destination;
      const claim = { owner, destination, isFollowed: onResponse !== undefined };
      const acceptance = registry.wouldAccept(claim);
      if (acceptance.kind === 'refused') throw new Error(`${name}: ${acceptance.reason}`);
      if (acceptance.kind === 'held') return false;
      registry.add(SOURCE, claim);
      const all = listeners.get(name) ?? new Map<string, Listeners>();
      all.set(owner, {
        ...(onStateChange === undefined ? {} : { onStateChange }),
        ...(onResponse === undefined ? {} : { onResponse }),
      });
      listeners.set(name, all);
      return true;
    },
    remove(uri, owner) {
      const removed = findAny(watching, uri).filter(({ destination: { name } }) => {
        const isRemoved = registry.remove(SOURCE, owner, name);
        if (isRemoved) listeners.get(name)?.delete(owner);
        if (listeners.get(name)?.size === 0) listeners.delete(name);
        return isRemoved;
      });
      return removed.length > 0;
    },
    isAlive(destination) {
      const found = findAny(watching, destination);
      return bestOf(found.map((watched) => destinationView(watching, watched)))?.code ?? -1;
    },
    list: () => registry.all().map((watched) => destinationView(watching, watched)),
    register: {
      contentType: TEXT,
      async metrics() {
        let text = '';
        for await (const piece of exposition(watching, async () => '', TEXT)) {
          text += piece;
          // Others have their turn meanwhile: ten thousand destinations are a lot of text.
          await nextRound();
        }
        return text.trimStart();
      },
    },
    close() {
      files.close();
      closed ??= supervisor.stop();
      return closed;
    },
  };
}

/** What is no name and no URI is not watched. */
function findAny(watching: StatusContext, asked: string): readonly RegisteredDestination[] {
  try {
    return find(watching, asked);
  } catch (error) {
    if (error instanceof UriError) return [];
    throw error;
  }
}

function verdictChange({
  destination,
  from,
  to,
  reason,
  detail,
  atMs,
}: StateChange): VerdictChange {
  const { name, uri } = destination;
  const code = isAliveCode(to);
  const at = new Date(atMs);
  return { destination: name, uri, from, state: to, code, reason, detail: detail, at };
}

function pingEnd({ name, uri }: StateChange['destination'], ping: PingReport): PingEnd {
  const { transport, address, reason, code, rttMicros, atMs } = ping;
  return {
    ...{ destination: name, uri, transport, address, reason, code, isAlive: reason === undefined },
    rtt: rttMicros === undefined ? undefined : rttMicros / 1e6,
    at: new Date(atMs),
  };
}
