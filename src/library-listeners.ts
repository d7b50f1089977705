/** Calls the listeners of library users for changes of state and for pings. */

import type { Destination } from './shared/destination.js';
import type { DownReason, FailureReason, TransportName } from './shared/outcome.js';
import type { LogLine, PingReport } from './shared/protocol.js';
import { type IsAliveCode, isAliveCode, type State } from './shared/state.js';
import type { StateChange } from './status/state-change.js';

export interface ListenerFunctions {
  /** Called when the state changes, including the first change from unknown. */
  readonly onStateChange?: (change: DestinationChange) => void;
  /** Called when a ping ends, answered or not. */
  readonly onResponse?: (ping: PingEnd) => void;
}

export interface DestinationChange {
  readonly destination: string;
  readonly uri: string;
  readonly from: State;
  readonly state: State;
  /** The new result of `isAlive`. */
  readonly code: IsAliveCode;
  readonly reason: DownReason | undefined;
  /** The exact error as text; empty when only the reason is known. */
  readonly detail: string;
  readonly at: Date;
}

export interface PingEnd {
  readonly destination: string;
  readonly uri: string;
  readonly transport: TransportName;
  /** `192.0.2.1:5060` or the like. */
  readonly address: string;
  readonly isAlive: boolean;
  /** Why the ping failed; undefined when it is alive. */
  readonly reason: FailureReason | undefined;
  /** SIP status code of the response; undefined without one. */
  readonly sipCode: number | undefined;
  /** Round-trip time in seconds; undefined when it is unknown. */
  readonly rtt: number | undefined;
  readonly at: Date;
}

export class Listeners {
  readonly #log: (line: LogLine) => void;
  readonly #all: ListenerFunctions;
  /** By name of the destination, then by owner. */
  readonly #byName = new Map<string, Map<string, ListenerFunctions>>();

  /** @param all called for every destination. */
  constructor(log: (line: LogLine) => void, all: ListenerFunctions) {
    this.#log = log;
    this.#all = all;
  }

  set(name: string, owner: string, functions: ListenerFunctions): void {
    const all = this.#byName.get(name) ?? new Map<string, ListenerFunctions>();
    all.set(owner, functions);
    this.#byName.set(name, all);
  }

  delete(name: string, owner: string): void {
    const all = this.#byName.get(name);
    all?.delete(owner);
    if (all?.size === 0) this.#byName.delete(name);
  }

  reportChange(stateChange: StateChange): void {
    const change = destinationChange(stateChange);
    for (const { onStateChange } of this.#of(change.destination)) {
      this.#call(() => onStateChange?.(change));
    }
  }

  reportPing(destination: Destination, report: PingReport): void {
    const ping = pingEnd(destination, report);
    for (const { onResponse } of this.#of(destination.name)) this.#call(() => onResponse?.(ping));
  }

  /** A copy, because a listener may add and remove listeners. */
  #of(name: string): readonly ListenerFunctions[] {
    return [this.#all, ...(this.#byName.get(name)?.values() ?? [])];
  }

  #call(call: () => unknown): void {
    // The function may be asynchronous and fail later.
    void (async () => call())().catch((error: unknown) => {
      const fields = { error: String(error) };
      const message = 'listener function failed';
      this.#log({ level: 'error', event: 'listener_failed', message, fields });
    });
  }
}

function destinationChange(change: StateChange): DestinationChange {
  const { from, to, reason, detail, atMs } = change;
  const { name: destination, uri } = change.destination;
  const at = new Date(atMs);
  return { destination, uri, from, state: to, code: isAliveCode(to), reason, detail, at };
}

function pingEnd({ name, uri }: Destination, report: PingReport): PingEnd {
  const { transport, address, reason, code: sipCode, rttMicros, atMs } = report;
  return {
    ...{ destination: name, uri, transport, address, reason, sipCode },
    isAlive: reason === undefined,
    rtt: rttMicros === undefined ? undefined : rttMicros / 1e6,
    at: new Date(atMs),
  };
}
