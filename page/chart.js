/** Round-trip times and failures of the last hour, as a sparkline and as a chart. */

import { svg } from './dom.js';
import { duration } from './words.js';

/** @typedef {import('../src/status/views.js').HistoryView} History */

/**
 * @param {History} history
 * @param {string} name
 */
export function sparkline(history, name) {
  const { rtt } = history;
  const max = maximum(rtt);
  const text = max === null ? 'no answer in the last hour' : `up to ${duration(max)}`;
  const picture = svg('svg', {
    ...{ width: 120, height: 24, viewBox: '0 0 120 24', preserveAspectRatio: 'none', role: 'img' },
    'aria-label': `Round-trip time of ${name} in the last hour: ${text}`,
  });
  picture.append(...failures(history, 120, 24), line(rtt, 120, 24));
  return picture;
}

/** @param {History} history */
export function chart(history) {
  const { rtt, step } = history;
  const max = duration(maximum(rtt));
  const minutes = Math.round((rtt.length * step) / 60);
  const picture = svg('svg', {
    ...{ width: '100%', height: 160, viewBox: '0 0 720 160', preserveAspectRatio: 'none' },
    ...{
      role: 'img',
      'aria-label': `Round-trip time in the last ${minutes} minutes: up to ${max}`,
    },
  });
  picture.append(...failures(history, 720, 140), line(rtt, 720, 140));
  return { picture, max, minutes };
}

/**
 * Null when no value is known.
 *
 * @param {readonly (number | null)[]} values
 */
function maximum(values) {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/**
 * @param {readonly (number | null)[]} values
 * @param {number} width
 * @param {number} height
 */
function line(values, width, height) {
  const max = maximum(values) || 1;
  const x = (/** @type {number} */ i) => ((i + 0.5) * width) / values.length;
  let d = '';
  values.forEach((value, i) => {
    if (value === null) return;
    const isStart = i === 0 || values[i - 1] === null;
    const y = height - 2 - (value / max) * (height - 4);
    // A single point would be invisible, so it is drawn as a short line.
    d += `${isStart ? `M${(x(i) - 1.5).toFixed(1)} ${y.toFixed(1)}` : ''}L${x(i).toFixed(1)} ${y.toFixed(1)}`;
  });
  return svg('path', { class: 'line', d });
}

/**
 * @param {History} history
 * @param {number} width
 * @param {number} height
 */
function failures({ failed }, width, height) {
  const barWidth = width / failed.length;
  return failed.flatMap((share, i) =>
    share === null || share === 0
      ? []
      : [
          svg('rect', {
            ...{ class: 'failed', x: (i * barWidth).toFixed(1) },
            ...{ y: (height * (1 - share)).toFixed(1), height: (height * share).toFixed(1) },
            width: barWidth.toFixed(1),
          }),
        ],
  );
}
