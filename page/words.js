/** Times, durations and outcomes as text. */

/** @param {number | null} seconds */
export function duration(seconds) {
  if (seconds === null) return '–';
  const ms = 1000 * seconds;
  return ms < 10
    ? `${ms.toFixed(2)} ms`
    : ms < 1000
      ? `${ms.toFixed(1)} ms`
      : `${seconds.toFixed(2)} s`;
}

/**
 * How long ago, in one or two units.
 *
 * @param {string | null} time
 * @param {number} now
 */
export function ago(time, now) {
  if (time === null) return '–';
  const seconds = Math.max(0, Math.round((now - Date.parse(time)) / 1000));
  for (const [unit, size, smaller, part] of /** @type {const} */ ([
    ['d', 86_400, 'h', 3600],
    ['h', 3600, 'min', 60],
    ['min', 60, 's', 1],
  ])) {
    if (seconds < size) continue;
    const rest = Math.floor((seconds % size) / part);
    return `${Math.floor(seconds / size)} ${unit}${rest === 0 ? '' : ` ${rest} ${smaller}`}`;
  }
  return `${seconds} s`;
}

/**
 * @param {string | null} time
 * @param {number} now
 */
export function daysLeft(time, now) {
  if (time === null) return '–';
  const days = Math.floor((Date.parse(time) - now) / 86_400_000);
  return days < 0 ? 'expired' : `${days} d`;
}

/** @param {string | null} time */
export function clock(time) {
  return time === null ? '–' : new Date(time).toLocaleString();
}

/** @param {Readonly<Record<string, string>>} labels */
export function labelText(labels) {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

/**
 * How the last ping of a destination or a target ended.
 *
 * @param {Pick<import('../src/status/views.js').TargetView, 'state' | 'reason_text' | 'detail' | 'sip_code'>} view
 */
export function outcome({ state, reason_text, detail, sip_code }) {
  const failure = detail ?? reason_text;
  if (failure !== null) {
    const hasCode = sip_code === null || failure.includes(String(sip_code));
    return hasCode ? failure : `${sip_code}: ${failure}`;
  }
  if (sip_code !== null) return `answered ${sip_code}`;
  if (state === 'unknown') return 'no ping has completed yet';
  return state === 'up' ? 'alive' : '–';
}
