/** Rows of the status page's list. */

import type { DestinationBrief } from '../../src/status/views.js';

export function pageRow(
  destination: string,
  rest: Partial<DestinationBrief> = {},
): DestinationBrief {
  return {
    ...{ destination, uri: `sip:${destination}`, code: 1, state: 'up', since: null },
    ...{ reason: null, reason_text: null, detail: null, sip_code: 200, rtt: 0.01 },
    ...{ degraded: null, module: 'default', owners: ['config'], labels: {}, server: null },
    ...{ ping_interval: 30, retry_interval: 30, down_interval: 30, ping_timeout: 5 },
    ...{ targets_total: 1, targets_up: 1, certificate_not_after: null },
    ...rest,
  };
}
