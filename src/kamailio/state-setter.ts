/** Sets states in one Kamailio, one call after the other. */

import type { KamailioRpcSettings } from '../config/source-settings.js';
import { answerIn, postCall } from '../discovery/kamailio-rpc/client.js';
import type { Requester } from '../platform/http.js';
import type { LogLine } from '../shared/protocol.js';
import type { KamailioHealth } from '../status/health.js';
import type { Listed } from './listed.js';
import { planSet, type Step, setsToChange } from './plan.js';

export interface StateSetterOptions {
  readonly settings: KamailioRpcSettings;
  readonly request: Requester;
  readonly log: (line: LogLine) => void;
}

/** `rejected`: Kamailio answered with an error. `unanswered`: it gave no answer. */
type Result = 'accepted' | 'rejected' | 'unanswered';

export class StateSetter {
  readonly #options: StateSetterOptions;
  readonly #closed = new AbortController();
  readonly #counts = { active: 0, inactive: 0 };
  #failures = 0;
  /** Of the last call that failed since one succeeded; empty for none. */
  #problem = '';

  constructor(options: StateSetterOptions) {
    this.#options = options;
  }

  /** Number of states that were set. */
  get counts(): KamailioHealth['statesSet'] {
    return this.#counts;
  }

  get failures(): number {
    return this.#failures;
  }

  /**
   * Sets the states of the dispatcher that contradict the verdicts. What fails is left for the next list;
   * a Kamailio that does not answer is left alone until then.
   */
  async set(list: Listed): Promise<void> {
    const { allowEmptySet } = this.#options.settings;
    for (const set of setsToChange(list.entries)) {
      const steps = planSet(set, allowEmptySet);
      let step = steps.next();
      while (step.done !== true) {
        if (this.#closed.signal.aborted) return;
        const result = await this.#call(step.value);
        if (result === 'unanswered') return;
        if (result === 'accepted') this.#record(step.value, list);
        step = steps.next(result === 'accepted');
      }
    }
  }

  close(): void {
    this.#closed.abort();
  }

  async #call(step: Step): Promise<Result> {
    const { request, settings } = this.#options;
    const { signal } = this.#closed;
    const reply = await postCall(request, settings.http, step.call, signal);
    const answer = 'problem' in reply ? reply : answerIn(reply, step.call.method);
    if (!('problem' in answer)) return 'accepted';
    if (!signal.aborted) this.#fail(step, answer.problem);
    return 'problem' in reply ? 'unanswered' : 'rejected';
  }

  #record({ entry, state }: Step, list: Listed): void {
    const { state: from } = entry;
    list.set(entry, state);
    this.#counts[state]++;
    this.#problem = '';
    this.#options.log({
      level: 'info',
      event: 'kamailio_state_set',
      message: `destination is set ${state} in Kamailio`,
      fields: { ...this.#fieldsOf(entry), state, from },
    });
  }

  /** Logs a failure unless it is like the last one. */
  #fail({ entry, state }: Step, error: string): void {
    this.#failures++;
    if (error === this.#problem) return;
    this.#problem = error;
    this.#options.log({
      level: 'warn',
      event: 'kamailio_set_state_failed',
      message: `cannot set a destination ${state} in Kamailio; it is tried again at the next refresh`,
      fields: { ...this.#fieldsOf(entry), error },
    });
  }

  #fieldsOf({ name = '', listing: { setid, uri } }: Step['entry']) {
    return { kamailio: this.#options.settings.kamailio, destination: name, setid, uri };
  }
}
