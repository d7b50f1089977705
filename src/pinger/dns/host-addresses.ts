/** Resolves one host name to addresses with the hosts file or DNS, and checks each address. */

import { gateAddress } from '../../shared/address.js';
import type { ResolutionStep } from '../../shared/resolution.js';
import { matchesIpProtocol } from './ip-protocol.js';
import type { LocateReport } from './locate-report.js';
import type { LocateQuery, LocateTools, ServerLocation } from './location.js';
import type { LookupResult } from './lookup-cache.js';
import { isNegativeAnswer } from './records.js';

/** Wait for AAAA after A was answered. RFC 8305 3 recommends 50 ms, for interactive programs. */
const AAAA_DELAY_MS = 250;
/** Maximum number of locations per search. */
const MAX_LOCATIONS = 4096;

type AddressType = 'A' | 'AAAA';

/** A location whose host is not resolved yet. */
export type UnresolvedLocation = Pick<
  ServerLocation,
  'transport' | 'port' | 'priority' | 'weight'
> & { readonly previousSteps: readonly ResolutionStep[] };

export class HostAddresses {
  readonly #query: LocateQuery;
  readonly #tools: LocateTools;
  readonly #report: LocateReport;
  #locationsLeft = MAX_LOCATIONS;

  constructor(query: LocateQuery, tools: LocateTools, report: LocateReport) {
    this.#query = query;
    this.#tools = tools;
    this.#report = report;
  }

  /** The locations of the host, in both address families (RFC 7984 4). */
  async locationsOf(
    host: string,
    unresolved: UnresolvedLocation,
  ): Promise<readonly ServerLocation[]> {
    const listed = this.#tools.hosts.get(host);
    const all =
      listed === undefined
        ? await this.#fromDns(host, unresolved)
        : this.#fromHostsFile(host, listed, unresolved);
    const used = all.slice(0, this.#locationsLeft);
    this.#locationsLeft -= used.length;
    const cut = all.length - used.length;
    if (cut > 0) this.#report.addCut(cut, `addresses of ${host}`, all.length);
    return used;
  }

  #fromHostsFile(
    host: string,
    listed: readonly string[],
    unresolved: UnresolvedLocation,
  ): readonly ServerLocation[] {
    // The result expires at once: the file can change at any time, and reading it again is cheap.
    this.#report.expiresAtMs = 0;
    const untilMs = Number.POSITIVE_INFINITY;
    return listed.flatMap((value) =>
      this.#checkedLocation(value, unresolved, { type: 'hosts', name: host, untilMs }),
    );
  }

  async #fromDns(host: string, unresolved: UnresolvedLocation): Promise<readonly ServerLocation[]> {
    const lookups = this.#types().map((type) => [type, this.#tools.lookUp(host, type)] as const);
    const locations: ServerLocation[] = [];
    const failed: [AddressType, LookupResult | undefined][] = [];
    for (const [type, promise] of lookups) {
      const result = await (locations.length > 0 ? this.#orUndefinedAfterDelay(promise) : promise);
      if (result?.answer.kind !== 'records') {
        failed.push([type, result]);
        continue;
      }
      const { answer, expiresAtMs: untilMs } = result;
      this.#report.addLookup(result, host, type, unresolved.previousSteps);
      for (const record of answer.records) {
        if (record.type !== type) continue;
        const step = { type, name: host, untilMs };
        locations.push(...this.#checkedLocation(record.address, unresolved, step));
      }
    }
    for (const [type, result] of failed) {
      this.#reportFailure(host, type, result, locations.length > 0, unresolved.previousSteps);
    }
    return locations;
  }

  #types(): readonly AddressType[] {
    const { ipProtocol } = this.#query;
    if (ipProtocol === 'any') return ['A', 'AAAA'];
    return ipProtocol === 'ip4' ? ['A'] : ['AAAA'];
  }

  /** @param result undefined when there is no answer yet. */
  #reportFailure(
    host: string,
    type: AddressType,
    result: LookupResult | undefined,
    hasOtherFamily: boolean,
    previousSteps: readonly ResolutionStep[],
  ): void {
    const answer = result?.answer;
    const isUnknown = answer?.kind !== 'failed' || !isNegativeAnswer(answer.reason);
    if (hasOtherFamily && !isUnknown) return;
    // AAAA lookups often fail, which is irrelevant when A was answered.
    if (result === undefined || (hasOtherFamily && type === 'AAAA')) {
      this.#report.unansweredBeside.add(`${type} ${host}`);
      this.#report.markMissing('family');
      return;
    }
    this.#report.addLookup(result, host, type, previousSteps);
    if (isUnknown) this.#report.markMissing('locations');
  }

  async #orUndefinedAfterDelay(promise: Promise<LookupResult>): Promise<LookupResult | undefined> {
    let cancel = () => {};
    const delay = new Promise<undefined>((resolve) => {
      cancel = this.#tools.clock.after(AAAA_DELAY_MS, () => resolve(undefined));
    });
    const first = await Promise.race([promise, delay]);
    cancel();
    return first;
  }

  /** The location at an address. If it must not be pinged: none, and an error in the report. */
  #checkedLocation(
    value: string,
    unresolved: UnresolvedLocation,
    step: Omit<ResolutionStep, 'value'>,
  ): readonly ServerLocation[] {
    const gated = gateAddress(value, unresolved.port);
    if ('problem' in gated) {
      const source = step.type === 'hosts' ? 'hosts file entry of' : `${step.type} of`;
      this.#report.addUnusableRecord(`${source} ${step.name}: ${gated.problem}`);
      return [];
    }
    if (!matchesIpProtocol(gated, this.#query.ipProtocol)) {
      // RFC 4291 2.5.5.2: an AAAA record can hold an IPv4 address.
      if (step.type !== 'hosts') {
        const problem = `${gated.address} is an IPv4 address`;
        this.#report.addUnusableRecord(`${step.type} of ${step.name}: ${problem}`);
      }
      return [];
    }
    const { transport, priority, weight, previousSteps } = unresolved;
    const steps = [...previousSteps, { ...step, value: gated.address }];
    return [{ transport, ...gated, priority, weight, steps }];
  }
}
