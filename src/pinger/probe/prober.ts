/** The probes in progress: one-off pings of URIs that need not be monitored. */

import type { Faults } from '../../shared/faults.js';
import type { ProbeReport } from '../../shared/probe-report.js';
import type { ProbeRequest } from '../../shared/protocol.js';
import { Probe, type ProbeOptions } from './probe.js';

/** Maximum number of concurrent probes. */
export const MAX_PROBES = 1024;

export interface ProberOptions extends ProbeOptions {
  /** Targets of probes have the `MAX_PROBES` indexes from this one on. */
  readonly firstIndex: number;
  readonly faults: Faults;
  readonly done: (id: number, report: ProbeReport) => void;
}

export class Prober {
  readonly #options: ProberOptions;
  readonly #free: number[];
  readonly #inProgress = new Map<number, Probe>();

  constructor(options: ProberOptions) {
    this.#options = options;
    this.#free = Array.from({ length: MAX_PROBES }, (_, i) => options.firstIndex + i).reverse();
  }

  start(request: ProbeRequest): void {
    const index = this.#free.pop();
    // The main thread allows no more than this.
    if (index === undefined) throw new Error(`more than ${MAX_PROBES} probes at once`);
    const probe = new Probe(request, { index, generation: 1 }, this.#options, (report) => {
      this.#inProgress.delete(request.id);
      this.#free.push(index);
      if (report !== undefined) this.#options.done(request.id, report);
    });
    this.#inProgress.set(request.id, probe);
    void this.#options.faults.containAsync(
      'probe',
      () => probe.run(),
      () => probe.faulted(),
    );
  }

  /** Ends the probe without a report. */
  cancel(id: number): void {
    this.#inProgress.get(id)?.cancel();
  }

  close(): void {
    for (const probe of this.#inProgress.values()) probe.cancel();
  }
}
