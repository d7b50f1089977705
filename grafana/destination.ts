/** One destination: outcomes, round-trip times, addresses, DNS, connections and certificates. */

import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { cameUp, wentDown } from './builders/annotations.js';
import { board } from './builders/board.js';
import { RTT } from './builders/expressions.js';
import * as variables from './builders/variables.js';
import { addresses, dns } from './destination/addresses.js';
import { connections } from './destination/connections.js';
import { kamailio } from './destination/kamailio.js';
import { budget, now } from './destination/now.js';
import { ONE } from './destination/selection.js';
import { outcomes, roundTrips } from './destination/traffic.js';

export const destination = (): Dashboard =>
  board({
    name: 'destination',
    description:
      'One SIP destination: state, error budget, round-trip times, outcomes, addresses, DNS, connections, certificates and its state in Kamailio.',
    variables: [
      variables.datasource(),
      variables.instance(),
      variables.destination('instance=~"$instance"'),
      variables.objective(),
      variables.histograms(RTT),
      ...variables.addresses(),
    ],
    annotations: [wentDown(ONE), cameUp(ONE)],
    sections: [now, budget, roundTrips, outcomes, addresses, dns, connections, kamailio],
  });
