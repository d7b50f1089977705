/** `GET /api/v1/availability` and `/api/v1/range`: days, weeks, months and a quarter, as Prometheus knows them. */

import type { RequestHandler } from 'express';
import { show } from '../../platform/values.js';
import { nearestOf } from '../../shared/nearest.js';
import type { StatusContext } from '../../status/freshness.js';
import { type LongSpans, RANGE_SPANS } from '../../upstream/long-spans.js';
import { jsonHandler } from '../json-handler.js';
import { queryDestinations, queryText } from '../query.js';
import { RequestError } from '../request-error.js';

export type LongSpansSource = Pick<LongSpans, 'availability' | 'range'>;

/** `?destination=A&destination=B`: the availability of each existing destination. */
export function availabilityHandler(
  registry: Pick<StatusContext['registry'], 'named'>,
  spans: LongSpansSource,
): RequestHandler {
  return jsonHandler(async (request) => {
    const names = [...new Set(queryDestinations(request))];
    return spans.availability(names.filter((name) => registry.named(name) !== undefined));
  });
}

/** `?destination=A&span=day`: a destination over a day, a week or a quarter. */
export function rangeHandler(
  registry: Pick<StatusContext['registry'], 'named'>,
  spans: LongSpansSource,
): RequestHandler {
  return jsonHandler(async (request) => {
    const [name, ...others] = queryDestinations(request);
    if (name === undefined || others.length > 0) {
      throw new RequestError(400, `destination: expected one name, got ${others.length + 1}`);
    }
    const given = queryText(request, 'span') ?? '';
    const span = RANGE_SPANS.find((one) => one === given);
    if (span === undefined) {
      const got = `${show(given)}${nearestOf(given, RANGE_SPANS)}`;
      throw new RequestError(400, `span: expected one of ${RANGE_SPANS.join(', ')}, got ${got}`);
    }
    if (registry.named(name) === undefined) {
      throw new RequestError(404, `no such destination: ${name}`);
    }
    return spans.range(name, span);
  });
}
