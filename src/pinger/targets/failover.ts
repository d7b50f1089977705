/** The next hops of one target: usually one, or several that a ping fails over to (RFC 3263 4.3). */

import type { Outcome, TransportName } from '../../shared/outcome.js';
import type { Endpoint, Flow, FlowListener, Transport } from '../transport/transport.js';

/** An address, and the transport to reach it. */
export interface NextHop {
  readonly endpoint: Endpoint;
  readonly transportName: TransportName;
  readonly transport: Transport;
}

export class Failover {
  readonly #listener: FlowListener;
  readonly #isForOnce: boolean;
  /** The first hop is the only one and stays so. */
  readonly isSingle: boolean;
  #hops: readonly [NextHop, ...NextHop[]];
  /** Hops after the first that apply from the next ping on. */
  #others: readonly NextHop[] | undefined;
  /** By hop; a flow is opened when it is first used. */
  #flows: (Flow | undefined)[] = [undefined];
  /** The hop that the current ping uses: its number, itself, and its flow once it is open. */
  #current = 0;
  #hop: NextHop;
  #flow: Flow | undefined;

  constructor(
    hops: readonly [NextHop, ...NextHop[]],
    listener: FlowListener,
    { isForOnce, isSingle }: { readonly isForOnce: boolean; readonly isSingle: boolean },
  ) {
    this.#hops = hops;
    this.#hop = hops[0];
    this.#listener = listener;
    this.#isForOnce = isForOnce;
    this.isSingle = isSingle;
  }

  get transportName(): TransportName {
    return this.#hop.transportName;
  }

  get endpoint(): Endpoint {
    return this.#hop.endpoint;
  }

  /** The flow of the current hop, opened when first used. */
  get flow(): Flow {
    if (this.#flow !== undefined) return this.#flow;
    const { transport, endpoint } = this.#hop;
    this.#flow = transport.open(endpoint, this.#listenerOf(this.#current), this.#isForOnce);
    this.#flows[this.#current] = this.#flow;
    return this.#flow;
  }

  /** Number of hops that this ping may still use, including the current one. */
  get hopsLeft(): number {
    return this.#hops.length - this.#current;
  }

  /** Starts a ping at the first hop. */
  begin(): void {
    if (this.#current !== 0) this.#moveTo(0);
    if (this.#others === undefined) return;
    for (const flow of this.#flows.splice(1)) flow?.close();
    this.#hops = [this.#hops[0], ...this.#others];
    this.#others = undefined;
  }

  /** Adds a detail to an outcome: the loop of the request if there was one, otherwise the flow's. */
  explain(outcome: Outcome, loop: string): Outcome {
    const explained = this.flow.explain(outcome);
    return loop === '' ? explained : { ...explained, detail: loop };
  }

  /** Moves to the next hop. Returns false when there is none, or when the current one did not fail. */
  next(outcome: Outcome): boolean {
    if (!isHopFailure(outcome) || this.hopsLeft <= 1) return false;
    this.#moveTo(this.#current + 1);
    return true;
  }

  /** Replaces the hops after the first, from the next ping on. */
  setOthers(others: readonly NextHop[]): void {
    this.#others = others;
  }

  /** Closes every flow; the next ping opens them again. */
  reset(): void {
    const flows = this.#flows;
    this.#flows = [undefined];
    this.#moveTo(0);
    for (const flow of flows) flow?.close();
  }

  close(): void {
    for (const flow of this.#flows) flow?.close();
  }

  #moveTo(hop: number): void {
    this.#current = hop;
    this.#hop = this.#hops[hop] ?? this.#hops[0];
    this.#flow = this.#flows[hop];
  }

  /** Passes on reports about the ping only from the hop that it uses. */
  #listenerOf(hop: number): FlowListener {
    if (this.isSingle) return this.#listener;
    const listener = this.#listener;
    const ifCurrent = (report: () => void) => {
      if (this.#current === hop) report();
    };
    return {
      ready: (local) => ifCurrent(() => listener.ready(local)),
      waitingFor: (what) => ifCurrent(() => listener.waitingFor(what)),
      failed: (failure) => ifCurrent(() => listener.failed(failure)),
      connectionLost: () => ifCurrent(() => listener.connectionLost()),
      connected: (phase, micros) => listener.connected(phase, micros),
      secured: (peer) => listener.secured(peer),
    };
  }
}

/** RFC 3263 4.3: a 503, a transport failure, or a timeout. */
function isHopFailure(outcome: Outcome): boolean {
  if (outcome.kind === 'answered') return outcome.code === 503;
  return outcome.reason !== 'malformed' && outcome.reason !== 'local';
}
