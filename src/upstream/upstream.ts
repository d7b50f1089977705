/** The servers that the status page gets more from: Prometheus and Alertmanager. */

import type { UpstreamSettings } from '../config/upstream.js';
import type { Requester } from '../platform/http.js';
import type { Clock } from '../shared/clock.js';
import type { RegisteredDestination } from '../shared/destination.js';
import { JsonServer } from './json-server.js';
import { LongSpans } from './long-spans.js';
import { Silences } from './silences.js';

export interface UpstreamOptions {
  /** The current settings, which a reload replaces. */
  readonly settings: () => UpstreamSettings;
  readonly registry: { all(): readonly RegisteredDestination[] };
  readonly request: Requester;
  readonly clock: Clock;
}

export interface Upstream {
  readonly longSpans: LongSpans;
  readonly silences: Silences;
}

/** Asks nothing before the first call of a method. */
export function createUpstream(options: UpstreamOptions): Upstream {
  const { settings, registry, request, clock } = options;
  const prometheus = new JsonServer({
    ...{ name: 'Prometheus', setting: 'web.prometheus_url', request, clock },
    settings: () => settings().prometheus,
  });
  const alertmanager = new JsonServer({
    ...{ name: 'Alertmanager', setting: 'web.alertmanager_url', request, clock },
    settings: () => settings().alertmanager,
  });
  return {
    longSpans: new LongSpans(prometheus, clock),
    silences: new Silences({ server: alertmanager, registry, clock }),
  };
}
