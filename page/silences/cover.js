/** Which silences of Alertmanager cover the alerts of a destination. */

/**
 * @typedef {import('../../src/status/page-views.js').SilenceView} Silence
 * @typedef {Silence['matchers'][number]} Matcher
 * @typedef {{ readonly destination: string, readonly labels: Readonly<Record<string, string>> }} Labelled
 */

/** Compiled once; undefined for one that JavaScript does not know. @type {Map<string, RegExp | undefined>} */
const patterns = new Map();
const MAX_PATTERNS = 1_000;

/** @param {string} source of RE2, which matches the whole value */
function patternOf(source) {
  if (patterns.has(source)) return patterns.get(source);
  if (patterns.size >= MAX_PATTERNS) patterns.clear();
  /** @type {RegExp | undefined} */ let pattern;
  try {
    pattern = new RegExp(`^(?:${source})$`, 's');
  } catch {
    pattern = undefined;
  }
  patterns.set(source, pattern);
  return pattern;
}

/**
 * @param {Matcher} matcher
 * @param {string} value
 */
function matches({ value: wanted, is_regex, is_equal }, value) {
  const isMatch = is_regex ? (patternOf(wanted)?.test(value) ?? false) : value === wanted;
  return isMatch === is_equal;
}

/**
 * The silences that cover alerts of a destination. One that names a label which only some alerts have, such
 * as `alertname`, counts too; one that names nothing of the destination does not.
 *
 * @param {readonly Silence[]} silences
 * @param {Labelled} destination
 */
export function silencesOf(silences, { destination, labels }) {
  const known = new Map([...Object.entries(labels), ['destination', destination]]);
  return silences.filter(({ matchers }) => {
    const ours = matchers.filter(({ name }) => known.has(name));
    return (
      ours.length > 0 && ours.every((matcher) => matches(matcher, known.get(matcher.name) ?? ''))
    );
  });
}

/** The matchers as Alertmanager writes them: `destination="gw", carrier=~"a|b"`. @param {Silence} silence */
export function matchersText({ matchers }) {
  return matchers
    .map(({ name, value, is_regex, is_equal }) => {
      const operator = `${is_equal ? (is_regex ? '=' : '') : '!'}${is_regex ? '~' : '='}`;
      return `${name}${operator}${JSON.stringify(value)}`;
    })
    .join(', ');
}
