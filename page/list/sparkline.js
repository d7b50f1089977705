/** Round-trip times and failures of the last hour, in a cell of the list. */

import { svg } from '../dom.js';
import { duration } from '../words.js';

/** @typedef {import('../../src/status/views.js').HistoryView} History */

const WIDTH = 120;
const HEIGHT = 24;

/**
 * @param {History} history
 * @param {string} name of the destination
 * @param {number | null} scale the round-trip time at the upper edge, seconds; null for its own maximum
 */
export function sparkline(history, name, scale) {
  const { rtt, failed } = history;
  const max = maximum(rtt);
  const text = max === null ? 'no answer in the last hour' : `up to ${duration(max)}`;
  const picture = svg('svg', {
    ...{ width: WIDTH, height: HEIGHT, viewBox: `0 0 ${WIDTH} ${HEIGHT}` },
    ...{ preserveAspectRatio: 'none', role: 'img' },
    'aria-label': `Round-trip time of ${name} in the last hour: ${text}`,
  });
  picture.append(...failures(failed), line(rtt, scale ?? max ?? 1));
  return picture;
}

/**
 * Null when no value is known.
 *
 * @param {readonly (number | null)[]} values
 */
export function maximum(values) {
  return values.reduce(
    (max, value) => (value === null ? max : Math.max(max ?? 0, value)),
    /** @type {number | null} */ (null),
  );
}

/**
 * The smallest of 1, 2 and 5 times a power of ten that is not less.
 *
 * @param {number} value
 */
export function niceCeiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find((factor) => factor * power >= value * (1 - 1e-9)) ?? 10) * power;
}

/**
 * @param {readonly (number | null)[]} values
 * @param {number} max
 */
function line(values, max) {
  const x = (/** @type {number} */ i) => ((i + 0.5) * WIDTH) / values.length;
  let d = '';
  values.forEach((value, i) => {
    if (value === null) return;
    const isStart = i === 0 || values[i - 1] === null;
    const y = HEIGHT - 2 - Math.min(1, value / max) * (HEIGHT - 4);
    // A single point would be invisible, so it is drawn as a short line.
    d += `${isStart ? `M${(x(i) - 1.5).toFixed(1)} ${y.toFixed(1)}` : ''}L${x(i).toFixed(1)} ${y.toFixed(1)}`;
  });
  return svg('path', { class: 'line', d });
}

/** @param {History['failed']} failed */
function failures(failed) {
  const width = WIDTH / failed.length;
  return failed.flatMap((share, i) =>
    share === null || share === 0
      ? []
      : [
          svg('rect', {
            ...{ class: 'failed', x: (i * width).toFixed(1), width: width.toFixed(1) },
            ...{ y: (HEIGHT * (1 - share)).toFixed(1), height: (HEIGHT * share).toFixed(1) },
          }),
        ],
  );
}
