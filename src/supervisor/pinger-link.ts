/** The connection to the current pinger thread: sends and receives its messages. */

import { PendingRequests, UnavailableError } from '../platform/pending-requests.js';
import type { DestinationSlot, RegisteredDestination } from '../shared/destination.js';
import type { ProbeReport } from '../shared/probe-report.js';
import type {
  DebugSettings,
  FromPinger,
  LedgerSettings,
  LogLine,
  NumberedProbe,
  PeerUpdate,
  PingReport,
  ProbeRequest,
  ProbeResult,
  ResolvedTargets,
  ServerName,
  ToPinger,
  VerdictUpdate,
} from '../shared/protocol.js';
import type { Explanation } from '../shared/resolution.js';
import { PostQueue } from './post-queue.js';
import { ProbeSettings } from './probe-settings.js';

/** Destinations per message; a larger message would delay the pinger's pings. */
const BATCH = 500;
/** Maximum number of pending requests of each kind. */
const MAX_PROBES = 1000;
/** A probe takes the pinger thread a tenth of a millisecond. */
const MAX_PROBES_PER_MESSAGE = 16;
const MAX_EXPLANATIONS = 1000;

export interface PingerListener {
  readonly onTargets: (resolved: readonly ResolvedTargets[]) => void;
  readonly onChanged: (changes: readonly VerdictUpdate[]) => void;
  readonly onServers: (servers: readonly ServerName[]) => void;
  readonly onPeers: (peers: readonly PeerUpdate[]) => void;
  readonly onPings: (pings: readonly PingReport[]) => void;
  readonly log: (line: LogLine) => void;
  /** Logs a debug line, whatever the log level. */
  readonly logDebug: (line: LogLine) => void;
  /** The thread accepts messages. It has no destinations yet. */
  readonly onReady: () => void;
}

/** Settings of the thread, in force when they are called. */
export interface PingerSettings {
  readonly debug: () => DebugSettings;
  readonly ledgerSettings: () => LedgerSettings;
}

export class PingerLink {
  readonly #listener: PingerListener;
  readonly #probes = new PendingRequests<ProbeReport>(MAX_PROBES);
  readonly #explanations = new PendingRequests<Explanation | undefined>(MAX_EXPLANATIONS);
  readonly #queue = new PostQueue((message) => this.#post(message));
  /** Probes that the next message has. */
  #waitingProbes: ProbeRequest[] = [];
  readonly #probeSettings = new ProbeSettings((message) => this.#post(message));
  #post: (message: ToPinger) => void = () => {};
  #isReady = false;

  constructor(listener: PingerListener) {
    this.#listener = listener;
  }

  /** Whether the thread runs and accepts messages. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Sets the function that posts messages to the thread. Nothing is posted before it is ready. */
  connect(post: (message: ToPinger) => void): void {
    this.#post = post;
  }

  /** The thread has exited: every pending request fails, and nothing is posted any more. */
  disconnect(): void {
    this.#isReady = false;
    this.#queue.clear();
    this.#probeSettings.clear();
    this.#waitingProbes = [];
    const error = new UnavailableError('the pinger thread has exited');
    this.#probes.fail(error);
    this.#explanations.fail(error);
  }

  monitor(destinations: readonly RegisteredDestination[]): void {
    for (const batch of batchesOf(destinations)) {
      this.#send(() => ({ type: 'monitor', destinations: batch.map(pingable) }));
    }
  }

  unmonitor(slots: readonly DestinationSlot[]): void {
    for (const batch of batchesOf(slots)) this.#send(() => ({ type: 'unmonitor', slots: batch }));
  }

  /** The members of `settings` are called when the messages are posted. */
  sendSettings({ ledgerSettings, debug }: PingerSettings): void {
    this.#send(() => ({ type: 'ledger', ...ledgerSettings() }));
    this.#send(() => ({ type: 'debug', ...debug() }));
  }

  /** `files` is called when the message is posted. */
  sendFiles(files: () => ReadonlyMap<string, string>): void {
    this.#send(() => ({ type: 'files', files: files() }));
  }

  /** Pings once. @throws UnavailableError when the pinger cannot, or the reason of `signal` if it aborts. */
  async probe(request: Omit<ProbeRequest, 'id'>, signal: AbortSignal): Promise<ProbeReport> {
    this.#requireReady();
    return this.#probes.request(
      (id) => this.#sendProbe({ id, ...request }),
      signal,
      (id) => this.#send(() => ({ type: 'cancel', id })),
    );
  }

  /** @throws UnavailableError when the pinger cannot answer. */
  async explanation(slot: DestinationSlot): Promise<Explanation | undefined> {
    this.#requireReady();
    return this.#explanations.request((id) => this.#send(() => ({ type: 'explain', id, slot })));
  }

  handle(message: FromPinger): void {
    const { onReady, onTargets, onChanged, onServers, onPeers, onPings, log } = this.#listener;
    switch (message.type) {
      case 'ready':
        this.#isReady = true;
        onReady();
        break;
      case 'targets':
        onTargets(message.resolved);
        break;
      case 'changed':
        onChanged(message.changes);
        break;
      case 'servers':
        onServers(message.servers);
        break;
      case 'peers':
        onPeers(message.peers);
        break;
      case 'pings':
        onPings(message.pings);
        break;
      case 'probed':
        for (const result of message.results) this.#endProbe(result);
        break;
      case 'explained':
        this.#explanations.answer(message.id, message.explanation);
        break;
      case 'log':
        log(message);
        break;
      case 'debug_lines':
        for (const line of message.lines) this.#listener.logDebug(line);
        break;
      default:
        message satisfies never;
    }
  }

  /** @param report undefined when an internal error ended the probe. */
  #endProbe({ id, report }: ProbeResult): void {
    const message = 'internal error; see the log of the exporter';
    if (report === undefined) this.#probes.reject(id, new UnavailableError(message));
    else this.#probes.answer(id, report);
  }

  /** Those that wait while the queue pauses go together: each message wakes the thread. */
  #sendProbe(request: ProbeRequest): void {
    this.#waitingProbes.push(request);
    if (this.#waitingProbes.length > 1) return;
    this.#send(() => ({ type: 'probe', probes: this.#takeProbes() }));
  }

  #takeProbes(): readonly NumberedProbe[] {
    const probes = this.#waitingProbes.splice(0, MAX_PROBES_PER_MESSAGE);
    if (this.#waitingProbes.length > 0) {
      this.#send(() => ({ type: 'probe', probes: this.#takeProbes() }));
    }
    return probes.map(({ settings, ...request }) => ({
      ...request,
      settings: this.#probeSettings.numberOf(settings),
    }));
  }

  #requireReady(): void {
    if (!this.#isReady) throw new UnavailableError('the pinger thread is not running');
  }

  /** Messages before the thread is ready are dropped, because `onReady` sends everything. */
  #send(make: () => ToPinger): void {
    if (this.#isReady) this.#queue.add(make);
  }
}

function batchesOf<T>(all: readonly T[]): readonly (readonly T[])[] {
  const count = Math.ceil(all.length / BATCH);
  return Array.from({ length: count }, (_, i) => all.slice(i * BATCH, (i + 1) * BATCH));
}

/** The part of a destination that the thread needs. */
function pingable({ slot, destination, isFollowed }: RegisteredDestination) {
  const { name, uri, settings } = destination;
  return { slot, destination: { name, uri, settings }, isFollowed };
}
