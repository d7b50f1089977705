/** Since when Prometheus has data of a destination: a month may be known for four minutes only. */

/** @typedef {import('../../src/status/page-views.js').RangeView} Range */

/**
 * The beginning, milliseconds since 1970; null without data. It is exact to five minutes within the last day,
 * to six hours before it.
 *
 * @param {Range} quarter
 * @param {Range} day
 */
export function dataSince(quarter, day) {
  const inQuarter = firstOf(quarter);
  const inDay = firstOf(day);
  const dayBegan = Date.parse(day.at[0] ?? '');
  if (inQuarter !== null && (inDay === null || inQuarter <= dayBegan))
    return inQuarter - 1000 * quarter.step;
  return inDay === null ? null : inDay - 1000 * day.step;
}

/** The end of the first point that is known. @param {Range} range */
function firstOf({ at, availability }) {
  const time = at[availability.findIndex((share) => share !== null)];
  return time === undefined ? null : Date.parse(time);
}
