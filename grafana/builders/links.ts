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

const KEPT = ['datasource', 'instance', 'exporter_url', 'runbook_url']
  .map((name) => placeholder(`${name}:queryparam`))
  .join('&');
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

/** To the section of an alert. */
export const toRunbook = (alert: string): DashboardLinkBuilder =>
  new DashboardLinkBuilder(`Runbook: ${alert}`)
    .type(DashboardLinkType.Link)
    .url(`${placeholder('runbook_url')}#${alert.toLowerCase()}`)
    .targetBlank(true);

/** The route of a destination on the status page, without its name. */
const PAGE_ROUTE = '/#/destination/';

/** To a destination on the status page of its exporter; `name` as for `toDestination`. */
export const toPage = (name: string): DashboardLinkBuilder =>
  new DashboardLinkBuilder('Status page')
    .type(DashboardLinkType.Link)
    .url(`${placeholder('exporter_url')}${PAGE_ROUTE}${name}`)
    .targetBlank(true);

/** `name` is a variable of data links. It is encoded, because the name of a destination may be a URI. */
const toDestination = (name: string): DashboardLinkBuilder =>
  new DashboardLinkBuilder('Show this destination')
    .type(DashboardLinkType.Link)
    .url(`/d/${UIDS.destination}?${KEPT}&var-destination=${name}&${TIME}`);

/** From the dashboard of a destination. */
export const ON_PAGE = toPage(placeholder('destination:percentencode'));

/** For series with the label `destination`. */
export const FROM_SERIES: readonly DashboardLinkBuilder[] = [toDestination, toPage].map((to) =>
  to(placeholder('__field.labels.destination:percentencode')),
);

/** For cells with the name of a destination. */
export const fromCell = (): DynamicConfigValue => ({
  id: 'links',
  value: [toDestination, toPage].map((to) => to(placeholder('__value.raw:percentencode')).build()),
});

/** For cells with the name of an alert, which is the heading of its section. */
export const fromAlert = (): DynamicConfigValue => ({
  id: 'links',
  value: [
    new DashboardLinkBuilder('Runbook')
      .type(DashboardLinkType.Link)
      .url(`${placeholder('runbook_url')}#:~:text=${placeholder('__value.raw')}`)
      .targetBlank(true)
      .build(),
  ],
});
