/** `GET /api/v1/availability` and `/api/v1/range`: days, weeks, months and a quarter, as Prometheus knows them. */

import type { Request, RequestHandler } from 'express';
import { show } from '../../platform/values.js';
import { nearestOf } from '../../shared/nearest.js';
import type { StatusContext } from '../../status/freshness.js';
import { type LongSpans, RANGE_SPANS } from '../../upstream/long-spans.js';
import { jsonHandler } from '../json-handler.js';
import { queryText } from '../query.js';
import { RequestError } from '../request-error.js';

const MAX_DESTINATIONS = 100;
const MAX_NAME = 1_024;

export type LongSpansSource = Pick<LongSpans, 'availability' | 'range'>;

/** `?destination=A&destination=B`: the availability of each existing destination. */
export function availabilityHandler(
  registry: Pick<StatusContext['registry'], 'named'>,
  spans: LongSpansSource,
): RequestHandler {
  return jsonHandler(async (request) => {
    const names = [...new Set(namesIn(request))];
    return spans.availability(names.filter((name) => registry.named(name) !== undefined));
  });
}

/** `?destination=A&span=day`: a destination over a day, a week or a quarter. */
export function rangeHandler(
  registry: Pick<StatusContext['registry'], 'named'>,
  spans: LongSpansSource,
): RequestHandler {
  return jsonHandler(async (request) => {
    const [name, ...others] = namesIn(request);
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

/** The values of the parameter `destination`. @throws RequestError without one, with too many, or with a long one. */
function namesIn(request: Request): readonly string[] {
  const given: unknown = request.query['destination'];
  const names: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (names.length > MAX_DESTINATIONS) {
    const expected = `expected at most ${MAX_DESTINATIONS} destinations`;
    throw new RequestError(400, `${expected}, got ${names.length}`);
  }
  return names.map((name) => {
    if (typeof name === 'string' && name !== '' && name.length <= MAX_NAME) return name;
    const got = typeof name === 'string' ? `${name.length}` : 'none';
    throw new RequestError(400, `destination: expected 1 to ${MAX_NAME} characters, got ${got}`);
  });
}
