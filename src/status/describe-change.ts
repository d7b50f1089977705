/** Describes a change of state as JSON, the same for events and webhooks. */

import { reasonText } from '../shared/outcome.js';
import { isAliveCode } from '../shared/state.js';
import { eventOf, type StateChange } from './state-change.js';
import type { ChangeView } from './views.js';

const texts = new WeakMap<StateChange, string>();

/** The JSON of a {@link ChangeView}, created once per change for all clients. */
export function changeJson(change: StateChange): string {
  const known = texts.get(change);
  if (known !== undefined) return known;
  const text = JSON.stringify(changeView(change));
  texts.set(change, text);
  return text;
}

/** The name of the server-sent event. */
export function eventName({ to }: StateChange): ChangeView['event'] {
  return eventOf(to) ?? 'dst-unknown';
}

function changeView(change: StateChange): ChangeView {
  const { destination, reason } = change;
  return {
    id: change.id,
    event: eventName(change),
    destination: destination.name,
    uri: destination.uri,
    from: change.from,
    code: isAliveCode(change.to),
    state: change.to,
    reason: reason ?? null,
    reason_text: reason === undefined ? null : reasonText(reason),
    detail: change.detail || null,
    at: new Date(change.atMs).toISOString(),
    module: destination.module,
    owners: change.owners,
    labels: destination.labels,
  };
}
