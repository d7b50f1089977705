/** Sends messages to the main thread in batches: one message of each type per turn of the event loop. */

import type { DestinationSlot, TargetAddress } from '../../shared/destination.js';
import type { Faults } from '../../shared/faults.js';
import type {
  FromPinger,
  LogLine,
  PeerUpdate,
  PingReport,
  ResolvedTargets,
  ServerName,
  VerdictUpdate,
} from '../../shared/protocol.js';

export class Outbox {
  readonly #post: (message: FromPinger) => void;
  readonly #faults: Faults;
  readonly #resolved = new Map<number, ResolvedTargets>();
  readonly #changes: VerdictUpdate[] = [];
  readonly #servers: ServerName[] = [];
  readonly #peers: PeerUpdate[] = [];
  readonly #pings: PingReport[] = [];
  #isFlushDue = false;

  constructor(post: (message: FromPinger) => void, faults: Faults) {
    this.#post = post;
    this.#faults = faults;
  }

  /** Sends the destination's current targets; if they change several times in a turn, only the last list. */
  targets(destination: DestinationSlot, targets: readonly TargetAddress[]): void {
    this.#resolved.set(destination.index, { destination, targets });
    this.#flushSoon();
  }

  /** Drops the pending list of targets of a destination that was removed. */
  forget(destination: DestinationSlot): void {
    this.#resolved.delete(destination.index);
  }

  changed(change: VerdictUpdate): void {
    this.#changes.push(change);
    this.#flushSoon();
  }

  server(name: ServerName): void {
    this.#servers.push(name);
    this.#flushSoon();
  }

  peer(update: PeerUpdate): void {
    this.#peers.push(update);
    this.#flushSoon();
  }

  ping(report: PingReport): void {
    this.#pings.push(report);
    this.#flushSoon();
  }

  log(line: LogLine): void {
    this.#post({ type: 'log', ...line });
  }

  ready(): void {
    this.#post({ type: 'ready' });
  }

  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushDue = false;
    const resolved = [...this.#resolved.values()];
    const changes = this.#changes.splice(0);
    const servers = this.#servers.splice(0);
    const peers = this.#peers.splice(0);
    const pings = this.#pings.splice(0);
    this.#resolved.clear();
    if (resolved.length > 0) this.#send({ type: 'targets', resolved });
    if (peers.length > 0) this.#send({ type: 'peers', peers });
    if (pings.length > 0) this.#send({ type: 'pings', pings });
    if (changes.length > 0) this.#send({ type: 'changed', changes });
    if (servers.length > 0) this.#send({ type: 'servers', servers });
  }

  /** Contains the error of a message that cannot be cloned, so that the others are sent. */
  #send(message: FromPinger): void {
    this.#faults.contain('message to the main thread', () => this.#post(message));
  }
}
