/** What a view has of the page. */

/**
 * @typedef {import('./route.js').Route} Route
 * @typedef {import('../src/status/views.js').ChangeView} ChangeView
 *
 * @typedef {object} PageContext
 * @property {import('./store.js').Store} store
 * @property {(query: URLSearchParams) => void} choose puts what is chosen in the view into the URL
 * @property {() => number} now the exporter's time, milliseconds; it stands still while the exporter does not answer
 * @property {() => string} listHref the list as it was last shown
 * @property {() => boolean} canSilence
 * @property {() => Promise<void>} refresh fetches the view anew, and shows the error if that fails
 * @property {() => Promise<void>} reloadSilences after one was made or ended
 *
 * @typedef {object} View
 * @property {HTMLElement} element
 * @property {string} title for the window; empty for that of the page
 * @property {(route: Route) => void} show shows what the URL chooses
 * @property {() => Promise<number>} refresh fetches and shows; resolves to the pause until the next one, milliseconds
 * @property {() => void} tick called each second: shows times and what has changed beside the view's own data
 * @property {(change: ChangeView, isKnown: boolean) => boolean | void} changed returns true if it must be refreshed
 * @property {() => void} close
 */

export {};
