/** All destinations: their states, the worst first, and the reasons. */

import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { cameUp, wentDown } from './builders/annotations.js';
import { board } from './builders/board.js';
import * as variables from './builders/variables.js';
import { now } from './fleet/now.js';
import { BY_LABEL, FLEET } from './fleet/selection.js';
import { tables } from './fleet/tables.js';
import { latency, time } from './fleet/time.js';

export const fleet = (): Dashboard =>
  board({
    name: 'fleet',
    description:
      'All SIP destinations: states, the worst first, and the reasons. To filter by one of your own labels, select it under Label and its values under Label value; the table By label groups by it. Add more labels under Further filters, which Grafana adds to every query.',
    variables: [
      variables.datasource(),
      variables.instance(),
      variables.label(),
      variables.value(),
      variables.destinations(BY_LABEL),
      variables.objective(),
      variables.filters(),
      ...variables.addresses(),
      ...variables.recordings(),
    ],
    // They read the series of every destination.
    annotations: [wentDown(FLEET).enable(false), cameUp(FLEET).enable(false)],
    sections: [now, tables, time, latency],
  });
