/** Runs a target with generated inputs. */

import { Coverage } from './coverage.js';
import { Mutator } from './mutate.js';
import { Random } from './random.js';
import type { FuzzTarget } from './target.js';

/** Inputs between two readings of the coverage. */
const BATCH = 250;
/** Parsers are linear: limit of CPU time for an input, and for each byte. */
const BASE_MS = 300;
const MS_PER_BYTE = 0.02;
/** An input that took too long is run again, because garbage collection takes time too. */
const TRIES = 3;
/** Longer seeds run once and are not mutated: they would take most of the time. */
const MAX_SEED_LENGTH = 8 * 1024;
/** Inputs kept besides the seeds. */
const MAX_KEPT = 2000;

export interface Finding {
  readonly input: Buffer;
  readonly error: Error;
}

export interface FuzzReport {
  executions: number;
  kept: number;
  /** Covered offsets of the code. */
  covered: number;
}

export interface FuzzOptions {
  readonly target: FuzzTarget;
  readonly seed: number;
  /** True when the run is over. */
  readonly isOver: (executions: number) => boolean;
  /** Called before an input runs. */
  readonly begin: (input: Buffer) => void;
  readonly onFinding: (finding: Finding) => void;
}

export class Fuzzer {
  readonly #options: FuzzOptions;
  readonly #coverage = new Coverage();
  readonly #mutator: Mutator;
  readonly #report: FuzzReport = { executions: 0, kept: 0, covered: 0 };
  readonly #known: [Buffer, ...Buffer[]] = [Buffer.alloc(0)];

  constructor(options: FuzzOptions) {
    this.#options = options;
    const { dictionary, mutations = [] } = options.target;
    this.#mutator = new Mutator(new Random(options.seed), dictionary, mutations);
  }

  /** Runs the seeds, and then inputs made of them, until the run is over. */
  async run(): Promise<FuzzReport> {
    try {
      for (const input of this.#options.target.seeds) {
        await this.#try(input);
        if (input.length <= MAX_SEED_LENGTH) this.#known.push(input);
      }
      this.#report.covered = this.#coverage.take();
      while (!this.#isOver()) {
        const batch: Buffer[] = [];
        while (batch.length < BATCH && !this.#isOver()) {
          const input = this.#mutator.make(this.#known);
          batch.push(input);
          await this.#try(input);
        }
        await this.#keepFrom(batch);
      }
      return this.#report;
    } finally {
      this.#coverage.close();
    }
  }

  #isOver(): boolean {
    return this.#options.isOver(this.#report.executions);
  }

  /**
   * Keeps those of the inputs just run that reached new code: halves are run again until one input is
   * left.
   */
  async #keepFrom(inputs: readonly Buffer[]): Promise<void> {
    const added = this.#coverage.take();
    if (added === 0) return;
    const [input] = inputs;
    if (inputs.length === 1 && input !== undefined) {
      this.#report.covered += added;
      if (this.#report.kept++ < MAX_KEPT) this.#known.push(Buffer.from(input));
      return;
    }
    this.#coverage.undo();
    const middle = Math.ceil(inputs.length / 2);
    for (const half of [inputs.slice(0, middle), inputs.slice(middle)]) {
      for (const one of half) await this.#again(one);
      await this.#keepFrom(half);
    }
  }

  async #again(input: Buffer): Promise<void> {
    this.#options.begin(input);
    try {
      await this.#options.target.run(input);
    } catch {
      // Reported when it ran first.
    }
  }

  async #try(input: Buffer): Promise<void> {
    this.#report.executions++;
    this.#options.begin(input);
    const limitMs = BASE_MS + MS_PER_BYTE * input.length;
    let tookMs = Number.POSITIVE_INFINITY;
    try {
      for (let tries = 0; tries < TRIES && tookMs > limitMs; tries++) {
        const before = process.cpuUsage();
        await this.#options.target.run(input);
        const { user, system } = process.cpuUsage(before);
        tookMs = Math.min(tookMs, (user + system) / 1000);
      }
      if (tookMs <= limitMs) return;
      throw new Error(`took ${tookMs} ms of CPU time, expected at most ${limitMs}`);
    } catch (error) {
      this.#options.onFinding({ input: Buffer.from(input), error: asError(error) });
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
