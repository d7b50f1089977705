import { AnnotationQueryBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { BAD, GOOD } from './looks.js';
import { DATASOURCE } from './queries.js';

/**
 * Marks at the moments that the exporter itself gives for its verdicts, which are exact, and not
 * at the scrapes at which a change was first seen. The first verdict after a start is one of them.
 */
function verdicts(name: string, which: string, isUp: boolean): AnnotationQueryBuilder {
  const since = `sip_keepalive_last_state_change_timestamp_seconds{${which}} * 1000`;
  const now = `sip_keepalive_up{${which}} == ${isUp ? 1 : 0}`;
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

export const wentDown = (which: string) => verdicts('Went down', which, false);
export const cameUp = (which: string) => verdicts('Came up', which, true);
