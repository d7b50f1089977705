/** Links between the dashboards. Each keeps the time range, the data source and the exporter. */

import {
  DashboardLinkBuilder,
  DashboardLinkType,
  type DynamicConfigValue,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { placeholder } from './placeholder.js';

export const UIDS = {
  fleet: 'sip-keepalive-fleet',
  destination: 'sip-keepalive-destination',
  exporter: 'sip-keepalive-exporter',
} as const;

export const TITLES: Readonly<Record<keyof typeof UIDS, string>> = {
  fleet: 'SIP keepalive / Fleet',
  destination: 'SIP keepalive / Destination',
  exporter: 'SIP keepalive / Exporter',
};

const KEPT = `${placeholder('datasource:queryparam')}&${placeholder('instance:queryparam')}`;
const TIME = placeholder('__url_time_range');

/** Links at the top of a dashboard to the two others. */
export function linksFrom(board: keyof typeof UIDS): DashboardLinkBuilder[] {
  return (['fleet', 'destination', 'exporter'] as const)
    .filter((other) => other !== board)
    .map((other) =>
      new DashboardLinkBuilder(TITLES[other])
        .type(DashboardLinkType.Link)
        .icon('dashboard')
        .url(`/d/${UIDS[other]}?${KEPT}`)
        .keepTime(true),
    );
}

/** `name` is a variable of data links. It is encoded, because the name of a destination may be a URI. */
const toDestination = (name: string): DashboardLinkBuilder =>
  new DashboardLinkBuilder('Show this destination')
    .type(DashboardLinkType.Link)
    .url(`/d/${UIDS.destination}?${KEPT}&var-destination=${name}&${TIME}`);

/** For series with the label `destination`. */
export const FROM_SERIES: readonly DashboardLinkBuilder[] = [
  toDestination(placeholder('__field.labels.destination:percentencode')),
];

/** For cells with the name of a destination. */
export const fromCell = (): DynamicConfigValue => ({
  id: 'links',
  value: [toDestination(placeholder('__value.raw:percentencode')).build()],
});
