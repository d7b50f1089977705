/** The exporter itself: whether its results can be trusted, and its resource usage. */

import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { board } from './builders/board.js';
import { LATENESS } from './builders/expressions.js';
import * as variables from './builders/variables.js';
import { now } from './exporter/now.js';
import { pings } from './exporter/pings.js';
import { others, sources } from './exporter/sources.js';
import { usage } from './exporter/usage.js';

export const exporter = (): Dashboard =>
  board({
    name: 'exporter',
    description:
      'The exporter itself: send delay, pauses, restarts, discovery, DNS, Kamailio, webhooks and resource usage.',
    variables: [
      variables.datasource(),
      ...variables.exporters(),
      variables.histograms(LATENESS),
      ...variables.addresses(),
    ],
    annotations: [],
    sections: [now, pings, sources, others, usage],
  });
