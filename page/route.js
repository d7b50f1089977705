/**
 * The hash of the page's URL: which view is shown, and what is chosen in it. A link shows what its sender sees.
 *
 *     #/?q=acme&state=down&group=label.carrier&sort=-rtt&fold=acme&scale=own
 *     #/destination/carrier%2Fa
 *     #/incidents?destination=gw
 */

/**
 * @typedef {'list' | 'destination' | 'incidents' | 'silences' | 'probes'} ViewName
 * @typedef {object} Route
 * @property {ViewName} view
 * @property {string} name of the destination; empty in the other views
 * @property {URLSearchParams} query
 */

/** @type {readonly ViewName[]} */
const OTHER_VIEWS = ['incidents', 'silences', 'probes'];

/**
 * An unknown path is the list.
 *
 * @param {string} hash
 * @returns {Route}
 */
export function parseRoute(hash) {
  const [, path = '', search = ''] = /^#?\/?([^?]*)\??(.*)$/s.exec(hash) ?? [];
  const query = new URLSearchParams(search);
  const [first, ...rest] = path.split('/');
  if (first === 'destination' && rest.length > 0)
    return { view: 'destination', name: decode(rest.join('/')), query };
  const view = OTHER_VIEWS.find((name) => name === path) ?? 'list';
  return { view, name: '', query };
}

/**
 * @param {Partial<Route>} route
 * @returns {string} with its `#`
 */
export function formatRoute({ view = 'list', name = '', query = new URLSearchParams() }) {
  const path =
    view === 'list'
      ? ''
      : view === 'destination'
        ? `destination/${encodeURIComponent(name)}`
        : view;
  const search = query.size === 0 ? '' : `?${query}`;
  return `#/${path}${search}`;
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
