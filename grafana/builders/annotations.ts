import { AnnotationQueryBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { BAD, GOOD } from './looks.js';
import { DATASOURCE } from './queries.js';

/**
 * Marks changes of state at the exact time that the exporter reports, not at the scrape that showed
 * them first. The first state after a start counts as a change.
 */
function stateChanges(name: string, selector: string, isUp: boolean): AnnotationQueryBuilder {
  const since = `sip_keepalive_last_state_change_timestamp_seconds{${selector}} * 1000`;
  const now = `sip_keepalive_up{${selector}} == ${isUp ? 1 : 0}`;
  return new AnnotationQueryBuilder()
    .name(name)
    .datasource(DATASOURCE)
    .enable(true)
    .iconColor(isUp ? GOOD : BAD)
    .expr(`${since} and ${now}`)
    .useValueForTime(true)
    .titleFormat(`{{destination}} ${isUp ? 'is up' : 'is down'}`)
    .tagKeys('instance')
    .step('15s');
}

export const wentDown = (selector: string) => stateChanges('Went down', selector, false);
export const cameUp = (selector: string) => stateChanges('Came up', selector, true);
