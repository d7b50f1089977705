/** The ways to one target: one as a rule, several where a ping may turn to the next (RFC 3263 4.3). */

import type { Outcome, TransportName } from '../../shared/outcome.js';
import type { Endpoint, Flow, FlowListener, Transport } from '../transport/transport.js';

/** One way to a target. */
export interface NextHop {
  readonly endpoint: Endpoint;
  readonly transportName: TransportName;
  readonly transport: Transport;
}

export class Failover {
  readonly #listener: FlowListener;
  readonly #isForOnce: boolean;
  /** The first way is the only one for ever. */
  readonly isSingle: boolean;
  #routes: readonly [NextHop, ...NextHop[]];
  /** What to take from the next ping on. */
  #others: readonly NextHop[] | undefined;
  /** Of each route that was taken so far; with room for one, which is all that most have. */
  #flows: (Flow | undefined)[] = [undefined];
  /** Which route the present ping takes. */
  #at = 0;

  constructor(
    routes: readonly [NextHop, ...NextHop[]],
    listener: FlowListener,
    { isForOnce, isSingle }: { readonly isForOnce: boolean; readonly isSingle: boolean },
  ) {
    this.#routes = routes;
    this.#listener = listener;
    this.#isForOnce = isForOnce;
    this.isSingle = isSingle;
  }

  get transportName(): TransportName {
    return (this.#routes[this.#at] ?? this.#routes[0]).transportName;
  }

  /** The flow of the way that is taken, opened when first needed. */
  get flow(): Flow {
    const known = this.#flows[this.#at];
    if (known !== undefined) return known;
    const { transport, endpoint } = this.#routes[this.#at] ?? this.#routes[0];
    const flow = transport.open(endpoint, this.#userOf(this.#at), this.#isForOnce);
    this.#flows[this.#at] = flow;
    return flow;
  }

  /** How many are left, the present one included. */
  get left(): number {
    return this.#routes.length - this.#at;
  }

  /** A ping begins: it takes the first way. */
  begin(): void {
    this.#at = 0;
    if (this.#others === undefined) return;
    for (const flow of this.#flows.splice(1)) flow?.close();
    this.#routes = [this.#routes[0], ...this.#others];
    this.#others = undefined;
  }

  /** The outcome with what is known of it: that the request came back (`loop`), else by the flow. */
  explain(outcome: Outcome, loop: string): Outcome {
    const known = this.flow.explain(outcome);
    return loop === '' ? known : { ...known, detail: loop };
  }

  /** Turns to the next one. False when there is none, or when this one did not fail. */
  next(outcome: Outcome): boolean {
    if (this.left <= 1 || !isFailure(outcome)) return false;
    this.#at++;
    return true;
  }

  /** From the next ping on, these follow the first way, which stays. */
  follow(others: readonly NextHop[]): void {
    this.#others = others;
  }

  /** Closes every flow; the next ping opens what it needs. */
  reset(): void {
    const flows = this.#flows;
    this.#flows = [undefined];
    this.#at = 0;
    for (const flow of flows) flow?.close();
  }

  close(): void {
    for (const flow of this.#flows) flow?.close();
  }

  /** Tells of one way only while the ping takes it. */
  #userOf(at: number): FlowListener {
    if (this.isSingle) return this.#listener;
    const listener = this.#listener;
    const ifTaken = (tell: () => void) => {
      if (this.#at === at) tell();
    };
    return {
      ready: (local) => ifTaken(() => listener.ready(local)),
      awaits: (what) => ifTaken(() => listener.awaits(what)),
      failed: (failure) => ifTaken(() => listener.failed(failure)),
      lost: () => ifTaken(() => listener.lost()),
      connected: (phase, micros) => listener.connected(phase, micros),
      secured: (peer) => listener.secured(peer),
    };
  }
}

/** RFC 3263 4.3: a 503, a transport that fails, and silence. */
function isFailure(outcome: Outcome): boolean {
  if (outcome.kind === 'answered') return outcome.code === 503;
  return outcome.reason !== 'malformed' && outcome.reason !== 'local';
}
