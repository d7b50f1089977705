/** Starts the pinger thread, and restarts it when it exits or hangs. */

import { type Clock, every } from '../shared/clock.js';
import type { DestinationSlot, RegisteredDestination } from '../shared/destination.js';
import type { Faults } from '../shared/faults.js';
import { LedgerReader } from '../shared/ledger/reader.js';
import type { ProbeReport } from '../shared/probe-report.js';
import type { FromPinger, PingerStart, ProbeRequest } from '../shared/protocol.js';
import type { Explanation } from '../shared/resolution.js';
import { closeDescriptors } from './close-descriptors.js';
import { PingerLink, type PingerListener, type PingerSettings } from './pinger-link.js';
import { type PingerThread, spawnPinger } from './pinger-thread.js';
import { Quarantine } from './quarantine.js';

/** Pause before the first restart; doubles with each further one. */
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 10_000;
/** A thread that ran this long ends a series of restarts. */
const STABLE_MS = 60_000;
/** Interval of heartbeat checks, and the number of missed ones after which a thread hangs. */
const POLL_INTERVAL_MS = 1_000;
const MAX_MISSED_HEARTBEATS = { ready: 10, starting: 60 } as const;
/** A thread that has not stopped after this time is terminated. */
const STOP_TIMEOUT_MS = 500;
/** While it starts: Node.js aborts the process if a thread that loads an addon is terminated. */
const STARTING_STOP_TIMEOUT_MS = 5_000;

export interface SupervisorOptions
  extends Omit<PingerListener, 'onReady'>,
    PingerSettings,
    Pick<PingerStart, 'ledger' | 'dns' | 'udpIo'> {
  /** All destinations to ping, with their targets so far. */
  readonly destinations: () => readonly RegisteredDestination[];
  /** Contents of the files that settings name, by path. */
  readonly files: () => ReadonlyMap<string, string>;
  readonly faults: Faults;
  readonly clock: Pick<Clock, 'now' | 'after'>;
  /** Starts a thread; tests replace it. */
  readonly spawn?: (start: PingerStart) => PingerThread;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #link: PingerLink;
  readonly #reader: LedgerReader;
  readonly #quarantine = new Quarantine();
  #thread: PingerThread | undefined;
  /** Destinations whose target rows the current thread received when it started. */
  #known: readonly DestinationSlot[] = [];
  #isStopped = false;
  #restarts = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #startedAtMs = 0;
  #lastHeartbeat = 0;
  #missedHeartbeats = 0;
  #cancelRestart = () => {};
  #stopPolling: (() => void) | undefined;
  #onExit = () => {};

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#reader = new LedgerReader(options.ledger);
    this.#link = new PingerLink({ ...options, onReady: () => this.#sendAll() });
  }

  /** Whether the thread runs and has been sent all destinations. */
  get isReady(): boolean {
    return this.#link.isReady;
  }

  /** Number of restarts of the thread. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Starts the thread. @throws Error when the system cannot create one. */
  start(): void {
    const { ledger, dns, udpIo, clock, spawn = spawnPinger } = this.#options;
    const known = this.#options
      .destinations()
      .filter(({ targets }) => targets.length > 0)
      .map(({ slot, targets }) => ({ destination: slot, targets }));
    this.#known = known.map(({ destination }) => destination);
    this.#stopPolling ??= every(clock, POLL_INTERVAL_MS, () => this.#checkHeartbeat());
    const thread = spawn({ ledger, dns, udpIo, previousTargets: known });
    this.#startedAtMs = clock.now();
    this.#missedHeartbeats = 0;
    this.#listenTo(thread);
  }

  /** Starts to monitor new destinations, or applies changed settings. */
  monitor(destinations: readonly RegisteredDestination[]): void {
    for (const { slot } of destinations) this.#quarantine.release(slot);
    this.#link.monitor(destinations);
  }

  unmonitor(slots: readonly DestinationSlot[]): void {
    this.#link.unmonitor(slots);
  }

  /** Sends the settings in force to the thread. */
  sendSettings(): void {
    this.#link.sendSettings(this.#options);
  }

  /** Sends the current contents of the files to the thread. */
  sendFiles(): void {
    this.#link.sendFiles(this.#options.files);
  }

  /**
   * Pings once.
   *
   * @throws UnavailableError when the pinger cannot, or the reason of `signal` if it aborts.
   */
  probe(request: Omit<ProbeRequest, 'id'>, signal: AbortSignal): Promise<ProbeReport> {
    return this.#link.probe(request, signal);
  }

  /**
   * Details of a destination that are not in the ledger; undefined when it is not monitored.
   *
   * @throws UnavailableError when the pinger cannot answer.
   */
  explanation(slot: DestinationSlot): Promise<Explanation | undefined> {
    return this.#link.explanation(slot);
  }

  /** Stops the thread. Resolves when it has exited. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stopPolling?.();
    this.#cancelRestart();
    const thread = this.#thread;
    if (thread === undefined) return;
    const exited = new Promise<void>((resolve) => {
      this.#onExit = resolve;
    });
    const timeoutMs = this.#link.isReady ? STOP_TIMEOUT_MS : STARTING_STOP_TIMEOUT_MS;
    this.#link.disconnect();
    thread.postMessage({ type: 'stop' });
    const cancel = this.#options.clock.after(timeoutMs, () => this.#terminate(thread));
    await exited;
    cancel();
  }

  #listenTo(thread: PingerThread): void {
    const { faults } = this.#options;
    let cause = 'exited without an error';
    this.#thread = thread;
    this.#link.connect((message) => thread.postMessage(message));
    thread.on('message', (message: FromPinger) =>
      faults.contain('message from the pinger thread', () => this.#link.handle(message)),
    );
    thread.on('error', (error) => {
      cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
    });
    thread.on('exit', () => this.#exited(cause));
  }

  /** Sends everything to a thread that has become ready. */
  #sendAll(): void {
    const all = this.#options.destinations();
    // Before any destination, so that its first ping is counted in the right buckets.
    this.sendSettings();
    this.sendFiles();
    this.#link.monitor(all.filter(({ slot }) => !this.#quarantine.has(slot)));
    // Destinations that were removed while the thread started: it frees their rows.
    const current = new Set(all.map(({ slot }) => rowOf(slot)));
    this.#link.unmonitor(this.#known.filter((slot) => !current.has(rowOf(slot))));
  }

  #exited(cause: string): void {
    this.#thread = undefined;
    closeDescriptors(this.#options.ledger, this.#options.faults);
    this.#link.disconnect();
    this.#onExit();
    if (this.#isStopped) return;
    const { clock, log } = this.#options;
    if (clock.now() - this.#startedAtMs > STABLE_MS) this.#pauseMs = FIRST_PAUSE_MS;
    log({
      level: 'error',
      event: 'pinger_exited',
      message: 'pinger thread exited; restarting',
      fields: { pause_ms: this.#pauseMs, error: cause },
    });
    this.#quarantineSuspects();
    this.#restartLater();
  }

  #restartLater(): void {
    const { clock, faults } = this.#options;
    this.#cancelRestart = clock.after(this.#pauseMs, () => {
      this.#restarts++;
      // The system may be unable to create another thread at the moment.
      faults.contain(
        'start of the pinger thread',
        () => this.start(),
        () => this.#restartLater(),
      );
    });
    this.#pauseMs = Math.min(2 * this.#pauseMs, MAX_PAUSE_MS);
  }

  /** Quarantines the destinations that the thread was working on, after a series of crashes. */
  #quarantineSuspects(): void {
    const { clock, log, destinations } = this.#options;
    const current = this.#current().map(({ slot }) => slot);
    if (this.#quarantine.recordCrash(clock.now(), current).length === 0) return;
    const names = destinations()
      .filter(({ slot }) => this.#quarantine.has(slot))
      .map(({ destination }) => destination.name);
    log({
      level: 'error',
      event: 'destinations_quarantined',
      message:
        'pinger thread crashed repeatedly; restarting without the destinations it was working on. To ping them again, change their settings or restart the exporter',
      fields: { destinations: names.join(' ') },
    });
  }

  /** The destinations that the thread was working on when it exited. */
  #current(): readonly RegisteredDestination[] {
    const { currentTarget, currentDestination } = this.#reader.pinger();
    return this.#options
      .destinations()
      .filter(
        ({ slot, targets }) =>
          slot.index === currentDestination ||
          targets.some((target) => target.slot.index === currentTarget),
      );
  }

  #checkHeartbeat(): void {
    const { heartbeat } = this.#reader.pinger();
    this.#missedHeartbeats = heartbeat === this.#lastHeartbeat ? this.#missedHeartbeats + 1 : 0;
    this.#lastHeartbeat = heartbeat;
    const thread = this.#thread;
    const allowed = MAX_MISSED_HEARTBEATS[this.#link.isReady ? 'ready' : 'starting'];
    if (this.#missedHeartbeats < allowed || thread === undefined) return;
    this.#missedHeartbeats = 0;
    this.#options.log({
      level: 'error',
      event: 'pinger_hung',
      message: 'pinger thread hangs; terminating it',
      fields: { seconds: (allowed * POLL_INTERVAL_MS) / 1000 },
    });
    this.#terminate(thread);
  }

  #terminate(thread: PingerThread): void {
    void this.#options.faults.containAsync('termination of the pinger thread', async () => {
      await thread.terminate();
    });
  }
}

function rowOf({ index, generation }: DestinationSlot): string {
  return `${index}/${generation}`;
}
