/** The addresses of one host, from the hosts file or the DNS, through the gate. */

import { gateAddress } from '../../shared/address.js';
import type { ResolutionStep } from '../../shared/resolution.js';
import { matchesIpProtocol } from './ip-protocol.js';
import type { LocateReport } from './locate-report.js';
import type { LocateQuery, LocateTools, ServerLocation } from './location.js';
import type { LookupResult } from './lookup-cache.js';
import { isNegativeAnswer } from './records.js';

/** How long AAAA is waited for once A is answered; RFC 8305 3 has 50 ms, for people who wait. */
const GRACE_MS = 250;
/** Addresses that one search comes to. */
const MAX_LOCATIONS = 4096;

type AddressType = 'A' | 'AAAA';

/** What led to a host. */
export type UnresolvedLocation = Pick<ServerLocation, 'transport' | 'port' | 'priority' | 'weight'>;

export class HostAddresses {
  readonly #query: LocateQuery;
  readonly #tools: LocateTools;
  readonly #findings: LocateReport;
  #locationsLeft = MAX_LOCATIONS;

  constructor(query: LocateQuery, tools: LocateTools, findings: LocateReport) {
    this.#query = query;
    this.#tools = tools;
    this.#findings = findings;
  }

  /** Where the host is served; both families, of whichever there are (RFC 7984 4). */
  async locationsOf(
    host: string,
    way: UnresolvedLocation,
    before: readonly ResolutionStep[],
  ): Promise<readonly ServerLocation[]> {
    const listed = this.#tools.hosts.get(host);
    const locations =
      listed === undefined
        ? await this.#lookedUp(host, way, before)
        : this.#listed(host, listed, way, before);
    const within = locations.slice(0, this.#locationsLeft);
    this.#locationsLeft -= within.length;
    const cut = locations.length - within.length;
    if (cut > 0) this.#findings.addCut(cut, `there are more than ${MAX_LOCATIONS} addresses`);
    return within;
  }

  #listed(
    host: string,
    listed: readonly string[],
    way: UnresolvedLocation,
    before: readonly ResolutionStep[],
  ): readonly ServerLocation[] {
    // The file may change at any time, and costs nothing to look into.
    this.#findings.expiresAtMs = 0;
    const untilMs = Number.POSITIVE_INFINITY;
    return listed.flatMap((value) =>
      this.#location(value, way, before, { type: 'hosts', name: host, untilMs }),
    );
  }

  async #lookedUp(
    host: string,
    way: UnresolvedLocation,
    before: readonly ResolutionStep[],
  ): Promise<readonly ServerLocation[]> {
    const asked = this.#types().map((type) => [type, this.#tools.lookUp(host, type)] as const);
    const locations: ServerLocation[] = [];
    const failed: [AddressType, LookupResult | undefined][] = [];
    for (const [type, promise] of asked) {
      const lookedUp = await (locations.length > 0 ? this.#soon(promise) : promise);
      if (lookedUp?.answer.kind !== 'records') {
        failed.push([type, lookedUp]);
        continue;
      }
      const { answer, expiresAtMs } = lookedUp;
      this.#findings.addLookup(lookedUp, host, type, before);
      for (const record of answer.records) {
        if (record.type !== type) continue;
        locations.push(
          ...this.#location(record.address, way, before, {
            type,
            name: host,
            untilMs: expiresAtMs,
          }),
        );
      }
    }
    for (const [type, lookedUp] of failed) {
      this.#missed(host, type, lookedUp, locations.length > 0, before);
    }
    return locations;
  }

  #types(): readonly AddressType[] {
    const { ipProtocol } = this.#query;
    if (ipProtocol === 'any') return ['A', 'AAAA'];
    return ipProtocol === 'ip4' ? ['A'] : ['AAAA'];
  }

  /** @param lookedUp undefined when there is no answer yet. */
  #missed(
    host: string,
    type: AddressType,
    lookedUp: LookupResult | undefined,
    isFound: boolean,
    before: readonly ResolutionStep[],
  ): void {
    const answer = lookedUp?.answer;
    const isUnknown = answer?.kind !== 'failed' || !isNegativeAnswer(answer.reason);
    if (isFound && !isUnknown) return;
    // AAAA that fails is common, and says nothing where A is answered.
    if (lookedUp === undefined || (isFound && type === 'AAAA')) {
      this.#findings.unansweredBeside.add(`${type} ${host}`);
      this.#findings.markMissing('family');
      return;
    }
    this.#findings.addLookup(lookedUp, host, type, before);
    if (isUnknown) this.#findings.markMissing('locations');
  }

  /** Undefined when the answer does not come soon. */
  async #soon(lookedUp: Promise<LookupResult>): Promise<LookupResult | undefined> {
    let cancel = () => {};
    const grace = new Promise<undefined>((resolve) => {
      cancel = this.#tools.clock.after(GRACE_MS, () => resolve(undefined));
    });
    const first = await Promise.race([lookedUp, grace]);
    cancel();
    return first;
  }

  /** The place at an address; none, with a word, where the gate does not let it through. */
  #location(
    value: string,
    way: UnresolvedLocation,
    before: readonly ResolutionStep[],
    step: Omit<ResolutionStep, 'value'>,
  ): readonly ServerLocation[] {
    const gated = gateAddress(value, way.port);
    if ('fault' in gated) {
      const source = step.type === 'hosts' ? 'the hosts file has' : `${step.type} of`;
      this.#findings.addUnusableRecord(`${source} ${step.name}: ${gated.fault}`);
      return [];
    }
    if (!matchesIpProtocol(gated, this.#query.ipProtocol)) {
      // RFC 4291 2.5.5.2: an AAAA record can hold an IPv4 address.
      if (step.type !== 'hosts') {
        this.#findings.addUnusableRecord(
          `${step.type} of ${step.name}: ${gated.address} is an IPv4 address`,
        );
      }
      return [];
    }
    const { transport, priority, weight } = way;
    const steps = [...before, { ...step, value: gated.address }];
    return [{ transport, ...gated, priority, weight, steps }];
  }
}
