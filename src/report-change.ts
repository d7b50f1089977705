/** Reports a destination's new state to the log and to the webhooks. */

import { reasonText } from './shared/outcome.js';
import type { LogLine } from './shared/protocol.js';
import { changeJson } from './status/describe-change.js';
import { eventOf, type StateChange } from './status/state-change.js';
import type { Webhooks } from './webhooks/webhooks.js';

export function reportChange(
  change: StateChange,
  log: (line: LogLine) => void,
  webhooks: Pick<Webhooks, 'notify'>,
): void {
  const { destination, from, to, reason, detail } = change;
  const why = reason === undefined ? {} : { reason, why: detail || reasonText(reason) };
  log({
    level: to === 'down' ? 'warn' : 'info',
    event: `destination_${to}`,
    message: `destination is ${to}`,
    fields: { destination: destination.name, from, ...why },
  });
  const event = eventOf(to);
  if (event === undefined) return;
  const { id, atMs } = change;
  webhooks.notify({
    ...{ id, event, atMs },
    // Created when the first webhook needs it.
    get body() {
      return changeJson(change);
    },
  });
}
