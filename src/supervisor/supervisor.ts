/** The pinger thread: starts it, sees that it lives, starts it again, and carries its messages. */

import { Worker } from 'node:worker_threads';
import { PendingRequests, UnavailableError } from '../platform/pending-requests.js';
import type { DestinationSlot, RegisteredDestination } from '../shared/destination.js';
import type { Faults } from '../shared/faults.js';
import { LedgerReader } from '../shared/ledger/reader.js';
import type { ProbeReport } from '../shared/probe-report.js';
import type {
  FromPinger,
  LogLine,
  PeerUpdate,
  PingerStart,
  PingReport,
  ProbeRequest,
  ResolvedTargets,
  ServerName,
  ToPinger,
  VerdictUpdate,
} from '../shared/protocol.js';
import type { DnsSettings, Explanation } from '../shared/resolution.js';
import { PostQueue } from './post-queue.js';
import { Quarantine } from './quarantine.js';

/** Pause before the first respawn; it doubles with each further one. */
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 10_000;
/** A pinger that lived this long ends a series of respawns. */
const STABLE_MS = 60_000;
/** How often the heartbeat is looked at, and how many looks without one mean a stuck pinger. */
const POLL_INTERVAL_MS = 1_000;
const MAX_MISSED_HEARTBEATS = 10;
/** Destinations that cross in one message; a larger one would hold up the pinger's pings. */
const BATCH = 500;

/** Pings leave little behind that lives: a small young generation costs no time and saves memory. */
const YOUNG_GENERATION_MB = 6;

export interface SupervisorOptions {
  readonly ledger: SharedArrayBuffer;
  readonly dns: DnsSettings;
  /** What is to be watched, with the targets that were resolved so far. */
  readonly watched: () => readonly RegisteredDestination[];
  readonly onTargets: (resolved: readonly ResolvedTargets[]) => void;
  readonly onChanged: (changes: readonly VerdictUpdate[]) => void;
  readonly onServers: (servers: readonly ServerName[]) => void;
  readonly onPeers: (peers: readonly PeerUpdate[]) => void;
  readonly onPings: (pings: readonly PingReport[]) => void;
  /** What is in the files that settings name, by their paths. */
  readonly files: () => ReadonlyMap<string, string>;
  readonly log: (line: LogLine) => void;
  readonly faults: Faults;
  /** Makes the thread; tests keep it to end it. */
  readonly spawn?: (start: PingerStart) => Worker;
}

/** Probes that are under way at one moment; the pinger has numbers for no more. */
const MAX_PROBES = 1000;
const MAX_EXPLANATIONS = 1000;

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #probes = new PendingRequests<ProbeReport>(MAX_PROBES);
  readonly #explanations = new PendingRequests<Explanation | undefined>(MAX_EXPLANATIONS);
  readonly #reader: LedgerReader;
  readonly #quarantine = new Quarantine();
  readonly #queue = new PostQueue((message) => this.#worker?.postMessage(message));
  #worker: Worker | undefined;
  /** Destinations whose rows the present thread was told of when it was started. */
  #known: readonly DestinationSlot[] = [];
  #isReady = false;
  #isStopped = false;
  #restarts = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #spawnedAt = 0;
  #lastHeartbeat = 0;
  #missedHeartbeats = 0;
  #pause: NodeJS.Timeout | undefined;
  #look: NodeJS.Timeout | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#reader = new LedgerReader(options.ledger);
  }

  /** The thread runs and has been told of every destination. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** How often the thread had to be started again. */
  get restarts(): number {
    return this.#restarts;
  }

  start(): void {
    const { ledger, dns, watched, faults, spawn = spawnPinger } = this.#options;
    const known = watched()
      .filter(({ targets }) => targets.length > 0)
      .map(({ slot, targets }) => ({ destination: slot, targets }));
    this.#look ??= setInterval(() => this.#checkHeartbeat(), POLL_INTERVAL_MS);
    this.#known = known.map(({ destination }) => destination);
    const worker = spawn({ ledger, dns, known });
    this.#worker = worker;
    this.#spawnedAt = performance.now();
    this.#missedHeartbeats = 0;
    let cause = 'it ended by itself';
    worker.on('message', (message: FromPinger) =>
      faults.contain('message from the pinger thread', () => this.#take(message)),
    );
    worker.on('error', (error) => {
      cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
    });
    worker.on('exit', () => this.#ended(worker, cause));
  }

  /** These are new, or have other settings than before. */
  watch(entries: readonly RegisteredDestination[]): void {
    for (const { slot } of entries) this.#quarantine.release(slot);
    this.#watch(entries);
  }

  #watch(entries: readonly RegisteredDestination[]): void {
    for (let i = 0; i < entries.length; i += BATCH) {
      const batch = entries.slice(i, i + BATCH);
      this.#post(() => ({ type: 'watch', destinations: batch.map(toldOf) }));
    }
  }

  /** Tells what the files hold now. */
  tellFiles(): void {
    this.#post(() => ({ type: 'files', files: this.#options.files() }));
  }

  /**
   * Pings once.
   *
   * @throws AskError when it cannot, or the reason of `signal` once that aborts.
   */
  async probe(request: Omit<ProbeRequest, 'id'>, signal: AbortSignal): Promise<ProbeReport> {
    this.#mustBeReady();
    return this.#probes.ask(
      (id) => this.#post(() => ({ type: 'probe', id, ...request })),
      signal,
      (id) => this.#post(() => ({ type: 'cancel', id })),
    );
  }

  /** What there is to tell of a destination besides numbers. @throws AskError when the pinger cannot say. */
  async explanation(slot: DestinationSlot): Promise<Explanation | undefined> {
    this.#mustBeReady();
    return this.#explanations.ask((id) => this.#post(() => ({ type: 'explain', id, slot })));
  }

  unwatch(slots: readonly DestinationSlot[]): void {
    for (let i = 0; i < slots.length; i += BATCH) {
      const batch = slots.slice(i, i + BATCH);
      this.#post(() => ({ type: 'unwatch', slots: batch }));
    }
  }

  /** Ends the thread. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#isReady = false;
    clearInterval(this.#look);
    clearTimeout(this.#pause);
    const worker = this.#worker;
    if (worker === undefined) return;
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.postMessage({ type: 'stop' } satisfies ToPinger);
    const patience = setTimeout(() => void worker.terminate(), 500);
    await ended;
    clearTimeout(patience);
  }

  /** Destinations that were let go of while the thread started: their rows are free. */
  #gone(): readonly DestinationSlot[] {
    const nameOf = ({ index, generation }: DestinationSlot) => `${index}/${generation}`;
    const watched = new Set(this.#options.watched().map(({ slot }) => nameOf(slot)));
    return this.#known.filter((slot) => !watched.has(nameOf(slot)));
  }

  #mustBeReady(): void {
    if (!this.#isReady) throw new UnavailableError('the pinger thread is not running');
  }

  /** What is posted before the thread is ready is not lost: it is told everything then. */
  #post(make: () => ToPinger): void {
    if (this.#isReady) this.#queue.add(make);
  }

  #take(message: FromPinger): void {
    switch (message.type) {
      case 'ready':
        this.#isReady = true;
        this.tellFiles();
        this.#watch(this.#options.watched().filter(({ slot }) => !this.#quarantine.has(slot)));
        this.unwatch(this.#gone());
        break;
      case 'targets':
        this.#options.onTargets(message.resolved);
        break;
      case 'changed':
        this.#options.onChanged(message.changes);
        break;
      case 'servers':
        this.#options.onServers(message.servers);
        break;
      case 'peers':
        this.#options.onPeers(message.peers);
        break;
      case 'pings':
        this.#options.onPings(message.pings);
        break;
      case 'probed':
        if (message.report !== undefined) this.#probes.answer(message.id, message.report);
        else
          this.#probes.refuse(
            message.id,
            new UnavailableError('the exporter failed; its log says how'),
          );
        break;
      case 'explained':
        this.#explanations.answer(message.id, message.explanation);
        break;
      case 'log':
        this.#options.log(message);
        break;
      default:
        message satisfies never;
    }
  }

  #ended(worker: Worker, cause: string): void {
    const error = new UnavailableError('the pinger thread ended');
    this.#probes.fail(error);
    this.#explanations.fail(error);
    if (this.#isStopped || this.#worker !== worker) return;
    this.#worker = undefined;
    this.#isReady = false;
    this.#queue.clear();
    if (performance.now() - this.#spawnedAt > STABLE_MS) this.#pauseMs = FIRST_PAUSE_MS;
    this.#options.log({
      level: 'error',
      message: 'the pinger thread ended; starting it again',
      fields: { pause_ms: this.#pauseMs, error: cause },
    });
    this.#leaveOut();
    this.#startSoon();
  }

  #startSoon(): void {
    this.#pause = setTimeout(() => {
      this.#restarts++;
      // The system may have no room for another thread now.
      this.#options.faults.contain(
        'start of the pinger thread',
        () => this.start(),
        () => this.#startSoon(),
      );
    }, this.#pauseMs);
    this.#pauseMs = Math.min(2 * this.#pauseMs, MAX_PAUSE_MS);
  }

  /** After a series of deaths, those that the threads died with in hand. */
  #leaveOut(): void {
    const inHand = this.#inHand();
    const leftOut = this.#quarantine.died(
      performance.now(),
      inHand.map(({ slot }) => slot),
    );
    if (leftOut.length === 0) return;
    const names = this.#options
      .watched()
      .filter(({ slot }) => this.#quarantine.has(slot))
      .map(({ destination }) => destination.name);
    this.#options.log({
      level: 'error',
      message:
        'the pinger thread died again and again; it starts without the destinations that it was dealing with. A changed setting of theirs, or a restart, lets them in again',
      fields: { destinations: names.join(' ') },
    });
  }

  /** What the thread was dealing with when it died. */
  #inHand(): readonly RegisteredDestination[] {
    const { currentTarget, currentDestination } = this.#reader.pinger();
    return this.#options
      .watched()
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
    if (this.#missedHeartbeats < MAX_MISSED_HEARTBEATS || this.#worker === undefined) return;
    this.#missedHeartbeats = 0;
    this.#options.log({
      level: 'error',
      message: 'the pinger thread is stuck; ending it',
      fields: { seconds: (MAX_MISSED_HEARTBEATS * POLL_INTERVAL_MS) / 1000 },
    });
    void this.#worker.terminate();
  }
}

/** What the thread has to know of a destination. */
function toldOf({ slot, destination: { name, uri, settings }, isFollowed }: RegisteredDestination) {
  return { slot, destination: { name, uri, settings }, isFollowed };
}

function spawnPinger(start: PingerStart): Worker {
  return new Worker(new URL('../pinger/worker.js', import.meta.url), {
    workerData: start,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  });
}
