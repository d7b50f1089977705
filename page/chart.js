/** Round-trip times of the last hour, as a sparkline and as a chart. */

import { svg } from './dom.js';
import { duration } from './words.js';

/** @typedef {{ rtt: (number | null)[], failed: (number | null)[], step: number }} History */

/**
 * @param {History} history
 * @param {string} name
 */
export function sparkline(history, name) {
  const { rtt } = history;
  const known = rtt.filter((value) => value !== null);
  const text =
    known.length === 0 ? 'no answer in the last hour' : `up to ${duration(Math.max(...known))}`;
  const chart = svg('svg', {
    ...{ width: 120, height: 24, viewBox: '0 0 120 24', preserveAspectRatio: 'none', role: 'img' },
    'aria-label': `Round-trip time of ${name} in the last hour: ${text}`,
  });
  chart.append(...failures(history, 120, 24), line(rtt, 120, 24));
  return chart;
}

/** @param {History} history */
export function chart(history) {
  const { rtt, step } = history;
  const known = rtt.filter((value) => value !== null);
  const most = Math.max(...known, 0);
  const minutes = Math.round((rtt.length * step) / 60);
  const picture = svg('svg', {
    ...{
      width: '100%',
      height: 160,
      viewBox: '0 0 720 160',
      preserveAspectRatio: 'none',
      role: 'img',
    },
    'aria-label': `Round-trip time in the last ${minutes} minutes: at most ${duration(most)}`,
  });
  picture.append(...failures(history, 720, 140), line(rtt, 720, 140));
  return { picture, most: duration(known.length === 0 ? null : most), minutes };
}

/**
 * @param {readonly (number | null)[]} values
 * @param {number} width
 * @param {number} height
 */
function line(values, width, height) {
  const most = Math.max(...values.map((value) => value ?? 0)) || 1;
  const x = (/** @type {number} */ i) => ((i + 0.5) * width) / values.length;
  let d = '';
  values.forEach((value, i) => {
    if (value === null) return;
    const isNew = i === 0 || values[i - 1] === null;
    const y = height - 2 - (value / most) * (height - 4);
    // A point by itself would not be seen.
    d += `${isNew ? `M${(x(i) - 1.5).toFixed(1)} ${y.toFixed(1)}` : ''}L${x(i).toFixed(1)} ${y.toFixed(1)}`;
  });
  return svg('path', { class: 'line', d });
}

/**
 * @param {History} history
 * @param {number} width
 * @param {number} height
 */
function failures({ failed }, width, height) {
  const wide = width / failed.length;
  return failed.flatMap((share, i) =>
    share === null || share === 0
      ? []
      : [
          svg('rect', {
            ...{ class: 'failed', x: (i * wide).toFixed(1), y: (height * (1 - share)).toFixed(1) },
            ...{ width: wide.toFixed(1), height: (height * share).toFixed(1) },
          }),
        ],
  );
}
