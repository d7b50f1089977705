/** Messages to the main thread, batched: one message of a kind per turn of the event loop. */

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

  /** The destination's current targets; of several lists in one turn the last one is sent. */
  targets(destination: DestinationSlot, targets: readonly TargetAddress[]): void {
    this.#resolved.set(destination.index, { destination, targets });
    this.#flushSoon();
  }

  /** The destination is gone; a pending list of its targets is not sent. */
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

  /** A message that cannot be cloned does not hold back the others. */
  #send(message: FromPinger): void {
    this.#faults.contain('message to the main thread', () => this.#post(message));
  }
}
