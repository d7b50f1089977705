/** The pinger: wires its parts and handles the messages of the main thread. */

import type { DestinationSlot, PingSettings } from '../shared/destination.js';
import type { Faults } from '../shared/faults.js';
import type { Files } from '../shared/file-contents.js';
import { LEDGER_CAPACITY } from '../shared/ledger/layout.js';
import type { LedgerWriter } from '../shared/ledger/writer.js';
import { logOnce } from '../shared/log-once.js';
import type {
  FromPinger,
  NumberedProbe,
  ProbeResult,
  ResolvedTargets,
} from '../shared/protocol.js';
import type { Explanation } from '../shared/resolution.js';
import type { DebugLog } from './debug/debug-log.js';
import type { Resolver, TtlLimits } from './dns/refresher.js';
import type { InboxMessage } from './inbox.js';
import { MonitoredDestinations } from './monitor/destinations.js';
import { Outbox } from './monitor/outbox.js';
import { VerdictTracker } from './monitor/verdicts.js';
import { MAX_PROBES, Prober } from './probe/prober.js';
import { Receiver } from './receiver.js';
import { RandomHex } from './sip/random-hex.js';
import type { TargetTools } from './targets/target.js';
import { TargetGuard } from './targets/target-guard.js';
import { Targets } from './targets/targets.js';
import type { Clock } from './time/clock.js';
import { PingLoop, type PolledSockets } from './time/ping-loop.js';
import { Scheduler } from './time/scheduler.js';
import { StallDetector } from './time/stall-detector.js';
import { TimerWheel } from './time/timer-wheel.js';
import { type OpenTransport, Transports } from './transport/transports.js';

/** Shorter stalls are counted, but not logged. */
const MIN_LOGGED_STALL_MS = 1_000;

export interface PingerOptions {
  readonly clock: Clock;
  readonly writer: LedgerWriter;
  /** The targets of an earlier pinger. */
  readonly previousTargets: readonly ResolvedTargets[];
  readonly resolver: Resolver;
  /** Limits on how long answers of `resolver` are used. */
  readonly ttls: TtlLimits;
  readonly openTransport: OpenTransport;
  readonly files: Files;
  readonly faults: Faults;
  readonly debug: DebugLog;
  /** Calls back once the event loop has read the sockets. */
  readonly afterReads: (callback: () => void) => void;
  readonly post: (message: FromPinger) => void;
  /** UDP sockets that the ping loop polls; absent if UDP sockets wake the event loop. */
  readonly sockets?: PolledSockets | undefined;
}

export class Pinger {
  readonly #writer: LedgerWriter;
  readonly #post: (message: FromPinger) => void;
  readonly #files: Files;
  readonly #faults: Faults;
  readonly #outbox: Outbox;
  readonly #targets: Targets;
  readonly #transports: Transports;
  readonly #monitored: MonitoredDestinations;
  readonly #prober: Prober;
  /** Of probes, by their numbers. */
  readonly #probeSettings = new Map<number, PingSettings>();
  #probeResults: ProbeResult[] = [];
  readonly #loop: PingLoop;

  constructor(options: PingerOptions) {
    const { clock, writer, files, faults, debug, resolver, openTransport, post } = options;
    const timers = new TimerWheel(LEDGER_CAPACITY + MAX_PROBES);
    const guard = new TargetGuard(faults, (index) => writer.setCurrentTarget(index));
    const stallDetector = new StallDetector();
    const tools = { clock, timers, stallDetector, randomHex: new RandomHex(), files, guard };
    const ping = (index: number, latenessMs: number) => targets.ping(index, latenessMs);
    const scheduler = new Scheduler(clock, LEDGER_CAPACITY, ping, options.sockets !== undefined);
    const wakeBy = (atMs: number) => this.#loop.wakeBy(atMs);
    const targets = new Targets({ writer, scheduler, faults, guard, wakeBy });
    const receiver = newReceiver(options, tools, targets);
    this.#writer = writer;
    this.#post = post;
    this.#files = files;
    this.#faults = faults;
    this.#targets = targets;
    this.#outbox = new Outbox(post, faults);
    this.#transports = new Transports(
      openTransport,
      receiver.take,
      options.sockets !== undefined,
      logOnce((line) => this.#outbox.log(line)),
    );
    this.#monitored = new MonitoredDestinations({
      ...{ ...options, tools, targets, transports: this.#transports, outbox: this.#outbox },
      verdicts: new VerdictTracker(clock, writer, this.#outbox),
      wake: () => this.#loop.wake(),
    });
    this.#prober = new Prober({
      ...{ tools, faults, debug, resolver, transports: this.#transports },
      firstIndex: LEDGER_CAPACITY,
      setTarget: (index, target) => targets.setProbed(index, target),
      done: (id, report) => this.#endProbe({ id, report }),
    });
    this.#loop = new PingLoop({
      ...{ ...options, timers, scheduler, stallDetector },
      onTimer: (index) => targets.timerFired(index),
      heartbeat: () => writer.recordHeartbeat(),
      onStall: (ms) => this.#logStall(ms),
      received: () => receiver.received,
    });
  }

  /** Sends what is queued in the polled sockets soon. */
  flushSoon(): void {
    this.#loop.flushSoon();
  }

  start(): void {
    this.#loop.start();
    this.#outbox.ready();
  }

  handle(message: InboxMessage): void {
    switch (message.type) {
      case 'monitor':
        for (const { slot, destination, isFollowed } of message.destinations) {
          this.#monitored.add(slot, destination, isFollowed);
        }
        break;
      case 'unmonitor':
        for (const slot of message.slots) this.#monitored.remove(slot);
        break;
      case 'ledger':
        this.#writer.configure(message);
        break;
      case 'debug':
        this.#monitored.configureDebug(message);
        break;
      case 'files':
        this.#files.set(message.files);
        break;
      case 'probe_settings':
        this.#probeSettings.set(message.number, message.settings);
        break;
      case 'probe':
        for (const probe of message.probes) this.#startProbe(probe);
        break;
      case 'explain':
        this.#explain(message.id, message.slot);
        break;
      case 'cancel':
        this.#faults.contain('cancel', () => this.#prober.cancel(message.id));
        break;
      default:
        message satisfies never;
    }
    this.#loop.wake();
  }

  close(): void {
    this.#loop.stop();
    this.#monitored.close();
    this.#prober.close();
    this.#targets.close();
    this.#transports.close();
  }

  #startProbe(probe: NumberedProbe): void {
    const { id, settings: number } = probe;
    this.#faults.contain(
      'probe',
      () => {
        const settings = this.#probeSettings.get(number);
        if (settings === undefined) throw new Error(`probe ${id} has unknown settings ${number}`);
        this.#prober.start({ ...probe, settings });
      },
      () => this.#endProbe({ id, report: undefined }),
    );
  }

  /** Results of the same tick go together: each message wakes the main thread. */
  #endProbe(result: ProbeResult): void {
    if (this.#probeResults.push(result) > 1) return;
    queueMicrotask(() => {
      const results = this.#probeResults;
      this.#probeResults = [];
      this.#post({ type: 'probed', results });
    });
  }

  #explain(id: number, slot: DestinationSlot): void {
    const answer = (explanation: Explanation | undefined) =>
      this.#post({ type: 'explained', id, explanation });
    this.#faults.contain(
      'explanation',
      () => answer(this.#monitored.explanation(slot)),
      () => answer(undefined),
    );
  }

  #logStall(ms: number): void {
    this.#writer.recordStall();
    if (ms < MIN_LOGGED_STALL_MS) return;
    this.#outbox.log({
      level: 'warn',
      event: 'pinger_stalled',
      message: 'pinger event loop stalled; pings due meanwhile are not counted',
      fields: { ms: Math.round(ms) },
    });
  }
}

function newReceiver(
  { clock, writer, faults, debug }: PingerOptions,
  { stallDetector, randomHex, guard }: TargetTools,
  targets: Targets,
): Receiver {
  return new Receiver({
    ...{ clock, faults, debug, stallDetector, guard },
    targetAt: (index) => targets.at(index),
    onUnmatched: () => writer.recordUnmatched(),
    onKeepalive: () => writer.recordNatKeepalive(),
    newTag: () => randomHex.hex(8),
  });
}
