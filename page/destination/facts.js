/** The settings and the description of a destination. */

import { el } from '../dom.js';
import { clock, labelText } from '../words.js';

/** @typedef {import('../../src/status/views.js').DestinationDetails} DestinationDetails */

/** @param {readonly (readonly [string, string | Node])[]} pairs */
export function facts(pairs) {
  return el(
    'dl',
    {},
    ...pairs.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]),
  );
}

/** @param {DestinationDetails} destination */
export function destinationFacts(destination) {
  const { owners, labels, server } = destination;
  return facts([
    ['URI', destination.uri],
    ['Since', clock(destination.since)],
    ['Pings', intervals(destination)],
    ['Module', destination.module],
    ['Owner', owners.join(', ')],
    ['Labels', labelText(labels) || '–'],
    ['Server', server ?? '–'],
  ]);
}

/** @param {DestinationDetails} destination */
function intervals({ ping_interval, retry_interval, down_interval, ping_timeout }) {
  const retry = retry_interval === ping_interval ? '' : `, retry ${retry_interval} s`;
  const down = down_interval === ping_interval ? '' : `, while down ${down_interval} s`;
  return `Interval ${ping_interval} s${retry}${down}, timeout ${ping_timeout} s`;
}
