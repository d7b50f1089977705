/** The probes that are under way: one-off pings of destinations that are not watched. */

import type { Faults } from '../../shared/faults.js';
import type { ProbeReport } from '../../shared/probe-report.js';
import type { ProbeRequest } from '../../shared/protocol.js';
import { Probe, type ProbeOptions } from './probe.js';

/** Probes under way at one moment. */
export const MAX_PROBES = 1024;

export interface ProberOptions extends ProbeOptions {
  /** The first of the `MOST_PROBES` numbers that targets of probes have. */
  readonly firstSlot: number;
  readonly faults: Faults;
  readonly done: (id: number, report: ProbeReport) => void;
}

export class Prober {
  readonly #options: ProberOptions;
  readonly #free: number[];
  readonly #underWay = new Map<number, Probe>();

  constructor(options: ProberOptions) {
    this.#options = options;
    this.#free = Array.from({ length: MAX_PROBES }, (_, i) => options.firstSlot + i).reverse();
  }

  start(request: ProbeRequest): void {
    const index = this.#free.pop();
    // The main thread lets no more in than there are numbers.
    if (index === undefined) throw new Error(`more than ${MAX_PROBES} probes at once`);
    const probe = new Probe(request, { index, generation: 1 }, this.#options, (report) => {
      this.#underWay.delete(request.id);
      this.#free.push(index);
      if (report !== undefined) this.#options.done(request.id, report);
    });
    this.#underWay.set(request.id, probe);
    void this.#options.faults.containAsync(
      'probe',
      () => probe.run(),
      () => probe.faulted(),
    );
  }

  /** Nobody wants to know any more. */
  cancel(id: number): void {
    this.#underWay.get(id)?.cancel();
  }

  close(): void {
    for (const probe of this.#underWay.values()) probe.cancel();
  }
}
