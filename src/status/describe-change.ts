/** A changed verdict as JSON, as events and webhooks carry it. */

import { reasonText } from '../shared/outcome.js';
import { eventOf, type StateChange } from './state-change.js';

const texts = new WeakMap<StateChange, string>();

/** Made once for each change, however many want it. */
export function changeJson(change: StateChange): string {
  const known = texts.get(change);
  if (known !== undefined) return known;
  const text = JSON.stringify(describeChange(change));
  texts.set(change, text);
  return text;
}

/** The name of the event that tells of it. */
export function eventName({ to }: StateChange): string {
  return eventOf(to) ?? 'dst-unknown';
}

/** Times are ISO 8601. */
function describeChange(change: StateChange) {
  const { destination, reason } = change;
  return {
    id: change.id,
    event: eventName(change),
    destination: destination.name,
    uri: destination.uri,
    from: change.from,
    state: change.to,
    reason: reason ?? null,
    reason_text: reason === undefined ? null : reasonText(reason),
    detail: change.detail === '' ? null : change.detail,
    at: new Date(change.atMs).toISOString(),
    module: destination.module,
    owners: change.owners,
    labels: destination.labels,
  };
}
