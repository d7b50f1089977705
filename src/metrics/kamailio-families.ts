/** The metric families of what running Kamailios believe. */

import { DISAGREEMENTS, LISTED_STATES } from '../shared/kamailio.js';
import type { Belief } from '../status/beliefs.js';
import type { StatusContext } from '../status/freshness.js';
import type { Family } from './families.js';
import type { Format } from './format.js';
import type { Labelled } from './renderer.js';
import { labelBytes, labelText, SampleLabels } from './sample-labels.js';

export interface BeliefSample {
  readonly belief: Belief;
  /** How long Kamailio and verdict have disagreed; undefined while they agree. */
  readonly disagreementSeconds: number | undefined;
}

const STATE_LABELS = LISTED_STATES.map((state) => [state, new SampleLabels({ state })] as const);
const KIND_LABELS = DISAGREEMENTS.map((kind) => [kind, new SampleLabels({ kind })] as const);

export const KAMAILIO_FAMILIES: readonly Family<BeliefSample>[] = [
  {
    name: 'sip_keepalive_kamailio_state',
    type: 'gauge',
    help: '1 for the state that the destination has in a set of this Kamailio, 0 for the other states.',
    samples: ({ belief: { module, state } }, emit) => {
      if (module !== 'dispatcher') return;
      for (const [one, labels] of STATE_LABELS) emit(one === state ? 1 : 0, labels);
    },
  },
  {
    name: 'sip_keepalive_kamailio_disagreement_seconds',
    type: 'gauge',
    help: 'How long this Kamailio has routed to the destination although it is down, or left it out although it is up; absent while they agree.',
    samples: ({ belief: { disagreement }, disagreementSeconds }, emit) => {
      if (disagreementSeconds === undefined) return;
      for (const [kind, labels] of KIND_LABELS) {
        if (kind === disagreement?.kind) emit(disagreementSeconds, labels);
      }
    },
  },
  {
    name: 'sip_keepalive_kamailio_registered',
    type: 'gauge',
    help: '1 if this Kamailio is registered at the destination (module uac), else 0.',
    samples: ({ belief: { isRegistered } }, emit) => {
      if (isRegistered !== undefined) emit(isRegistered ? 1 : 0);
    },
  },
];

/** The rows of all monitored destinations; undefined is an occasion to give way to other work. */
export function* beliefRows(
  status: StatusContext,
  { encoding }: Format,
  batch: number,
): Generator<Labelled<BeliefSample> | undefined, void, undefined> {
  const nowMs = status.now();
  const encode = encoding === 'protobuf' ? labelBytes : (labels: Labels) => labelText(labels, '{');
  let rows = 0;
  for (const belief of status.beliefs?.all() ?? []) {
    const { destination, kamailio, module, setid, disagreement } = belief;
    if (status.registry.named(destination) === undefined) continue;
    const set = module === 'dispatcher' ? { setid } : {};
    const disagreementSeconds = disagreement && Math.max(0, nowMs - disagreement.sinceMs) / 1000;
    yield {
      labels: encode({ destination, kamailio, ...set }),
      createdMs: 0,
      row: { belief, disagreementSeconds },
    };
    if (++rows % batch === 0) yield undefined;
  }
}

type Labels = Readonly<Record<string, string>>;
