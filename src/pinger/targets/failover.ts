/** The ways to one target: one as a rule, several where a ping may turn to the next (RFC 3263 4.3). */

import type { Outcome, TransportName } from '../../shared/outcome.js';
import type { Endpoint, Flow, FlowUser, Transport } from '../transport/transport.js';

/** One way to a target. */
export interface Route {
  readonly endpoint: Endpoint;
  readonly wire: TransportName;
  readonly transport: Transport;
}

export class Ways {
  readonly #user: FlowUser;
  readonly #isForOnce: boolean;
  /** The first way is the only one for ever. */
  readonly isSingle: boolean;
  #routes: readonly [Route, ...Route[]];
  /** What to take from the next ping on. */
  #others: readonly Route[] | undefined;
  /** Of each route that was taken so far; with room for one, which is all that most have. */
  #flows: (Flow | undefined)[] = [undefined];
  /** Which route the present ping takes. */
  #at = 0;

  constructor(
    routes: readonly [Route, ...Route[]],
    user: FlowUser,
    { isForOnce, isSingle }: { readonly isForOnce: boolean; readonly isSingle: boolean },
  ) {
    this.#routes = routes;
    this.#user = user;
    this.#isForOnce = isForOnce;
    this.isSingle = isSingle;
  }

  get wire(): TransportName {
    return (this.#routes[this.#at] ?? this.#routes[0]).wire;
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
  follow(others: readonly Route[]): void {
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
  #userOf(at: number): FlowUser {
    if (this.isSingle) return this.#user;
    const user = this.#user;
    const ifTaken = (tell: () => void) => {
      if (this.#at === at) tell();
    };
    return {
      ready: (local) => ifTaken(() => user.ready(local)),
      awaits: (what) => ifTaken(() => user.awaits(what)),
      failed: (failure) => ifTaken(() => user.failed(failure)),
      lost: () => ifTaken(() => user.lost()),
      connected: (phase, micros) => user.connected(phase, micros),
      secured: (peer) => user.secured(peer),
    };
  }
}

/** RFC 3263 4.3: a 503, a transport that fails, and silence. */
function isFailure(outcome: Outcome): boolean {
  if (outcome.kind === 'answered') return outcome.code === 503;
  return outcome.reason !== 'malformed' && outcome.reason !== 'local';
}
