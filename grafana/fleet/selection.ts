/** What the fleet dashboard selects, and the states of it. */

import { state } from '../builders/expressions.js';

export const BY_LABEL = 'instance=~"$instance",$label=~"$value"';
export const FLEET = `${BY_LABEL},destination=~"$destination"`;
export const STATE = state(FLEET);
export const NO_DESTINATION = 'No destination matches the selection';
export const NOT_RECORDED =
  'Nothing recorded yet: Prometheus needs rules/sip-keepalive-recording.yml';
