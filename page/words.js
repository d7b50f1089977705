/** Times, durations and outcomes as text. */

import { shownState } from './states.js';

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
 * A period in one or two units.
 *
 * @param {number} given seconds
 */
export function period(given) {
  const seconds = Math.max(0, Math.round(given));
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
 * How long ago, in one or two units.
 *
 * @param {string | null} time
 * @param {number} now
 */
export function ago(time, now) {
  return time === null ? '–' : period((now - Date.parse(time)) / 1000);
}

/**
 * How long a destination has been in its state. One that is degraded has been up for that time.
 *
 * @param {import('./states.js').StateView & { readonly since: string | null }} view
 * @param {number} now
 */
export function lasting(view, now) {
  const text = ago(view.since, now);
  return shownState(view) === 'degraded' ? `up ${text}` : text;
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
 * @param {Pick<import('../src/status/views.js').TargetView, 'state' | 'reason_text' | 'detail' | 'sip_code'> & { degraded?: string | null }} view
 */
export function outcome({ state, reason_text, detail, sip_code, degraded = null }) {
  const failure = detail ?? reason_text;
  if (failure !== null) {
    const hasCode = sip_code === null || failure.includes(String(sip_code));
    return hasCode ? failure : `${sip_code}: ${failure}`;
  }
  if (state === 'up' && degraded !== null) return degraded;
  if (sip_code !== null) return `answered ${sip_code}`;
  if (state === 'unknown') return 'no ping has completed yet';
  return state === 'up' ? 'alive' : '–';
}

/**
 * A round-trip time is shown while the last ping was answered: an old one would look like a new one.
 *
 * @param {{ readonly state: string, readonly rtt: number | null }} view
 */
export function currentRtt({ state, rtt }) {
  return state === 'up' ? rtt : null;
}
