/** What is around the view: the head with how fresh the page is, the title, the icon, and the foot. */

import { el, setText } from './dom.js';
import { countStates } from './states.js';
import { clock, period } from './words.js';

/**
 * @typedef {import('./live.js').Live} Live
 * @typedef {import('./store.js').Store} Store
 * @typedef {import('../src/status/views.js').DestinationBrief} Row
 * @typedef {import('../src/status/page-views.js').StatusView} Status
 */

const TITLE = 'SIP keepalive';
/** After this time without an answer the figures are shown dimmed, milliseconds. */
const STALE_MS = 90_000;
const LIVE_TEXTS = {
  connecting: 'Connecting…',
  live: 'Live',
  disconnected: 'Disconnected, reconnecting…',
  paused: 'Paused',
};

export class Frame {
  #main = byId('main');
  #live = byId('live');
  #updated = byId('updated');
  #error = byId('error');
  #facts = byId('facts');
  #silencesLink = byId('silences-link');
  #icon = /** @type {HTMLLinkElement} */ (document.querySelector('link[rel="icon"]'));
  #iconCount = -1;
  /** Whether the error that is shown is an answer of the exporter. */
  #isRefused = false;

  constructor() {
    // Following the link would change the address to that of the list.
    document.querySelector('.skip')?.addEventListener('click', (event) => {
      event.preventDefault();
      this.focusMain();
    });
  }

  focusMain() {
    this.#main.focus({ preventScroll: true });
  }

  /**
   * @param {HTMLElement} element
   * @param {string} name of the view
   */
  setView(element, name) {
    if (this.#main.firstElementChild !== element) this.#main.replaceChildren(element);
    for (const link of document.querySelectorAll('nav a[data-view]')) {
      if (link.getAttribute('data-view') === name) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
  }

  /**
   * @param {string} text empty if there is no error
   * @param {boolean} isAnswer of the exporter
   */
  setError(text, isAnswer = false) {
    this.#isRefused = isAnswer;
    // A screen reader would read the same text out again.
    if (this.#error.textContent === text) return;
    this.#error.textContent = text;
    this.#error.hidden = text === '';
  }

  /**
   * The title and the icon have the number of destinations that are down.
   *
   * @param {string} title of the view
   * @param {readonly Row[]} rows
   */
  setTitle(title, rows) {
    const { down } = countStates(rows);
    const count = down === 0 ? '' : `(${down} down) `;
    document.title = `${count}${title === '' ? TITLE : `${title} – ${TITLE}`}`;
    if (down === this.#iconCount) return;
    this.#iconCount = down;
    this.#icon.href = iconUrl(down);
  }

  /**
   * @param {Store} store
   * @param {Live} live
   */
  show(store, { state, lastContactMs, lastDataMs }) {
    const ageMs = Date.now() - lastContactMs;
    setText(this.#live, LIVE_TEXTS[state]);
    this.#live.dataset['state'] = state;
    const isStale = lastContactMs > 0 && (state === 'disconnected' || ageMs > STALE_MS);
    document.body.classList.toggle('stale', isStale);
    const fresh = lastContactMs === 0 ? '' : `· last update ${period(ageMs / 1000)} ago`;
    setText(this.#updated, isStale ? this.#staleText(lastContactMs, lastDataMs) : fresh);
    this.#showStatus(store.status);
  }

  /**
   * What is known of the age of the view, milliseconds since 1970; 0 for never.
   *
   * @param {number} contactMs
   * @param {number} dataMs
   */
  #staleText(contactMs, dataMs) {
    const time = (/** @type {number} */ ms) => new Date(ms).toLocaleTimeString();
    if (this.#isRefused) return dataMs === 0 ? '' : `What is below is from ${time(dataMs)}.`;
    const since = `No answer from the exporter since ${time(contactMs)}`;
    return dataMs === 0 ? `${since}.` : `${since}: what is below is from then.`;
  }

  /** @param {Status | null} status */
  #showStatus(status) {
    this.#silencesLink.hidden = status?.web.alertmanager !== true;
    if (status === null) return;
    const items = factsOf(status).map(([text, isWrong]) =>
      el('li', isWrong ? { class: 'wrong' } : {}, text),
    );
    const key = items.map((item) => item.textContent).join('\n');
    if (this.#facts.dataset['shown'] === key) return;
    this.#facts.dataset['shown'] = key;
    this.#facts.replaceChildren(...items);
  }
}

/**
 * The state of the exporter itself; true where something is wrong.
 *
 * @param {Status} status
 * @returns {readonly (readonly [string, boolean])[]}
 */
function factsOf({ version, now, started_at, pinger, ready, reload, sources }) {
  const uptime = period((Date.parse(now) - Date.parse(started_at)) / 1000);
  const restarts = pinger.restarts === 0 ? '' : `, restarted ${pinger.restarts} times`;
  const failing = sources.filter(({ ok }) => !ok);
  return [
    [`version ${version}`, false],
    [`running for ${uptime}`, false],
    [`pinger ${pinger.healthy ? 'healthy' : 'not running'}${restarts}`, !pinger.healthy],
    ...(ready.ok ? [] : [/** @type {const} */ ([`not ready: ${ready.reason}`, true])]),
    reload.ok
      ? [`configuration of ${clock(reload.at)}`, false]
      : [`last reload failed; configuration of ${clock(reload.at)}`, true],
    ...(sources.length === 0
      ? []
      : [/** @type {const} */ ([sourcesText(sources, failing), failing.length > 0])]),
  ];
}

/**
 * @param {Status['sources']} all
 * @param {Status['sources']} failing
 */
function sourcesText(all, failing) {
  const [first] = failing;
  if (first === undefined) return `discovery: ${all.length} of ${all.length} sources read`;
  const more = failing.length === 1 ? '' : `, and ${failing.length - 1} more`;
  return `discovery: ${first.name} cannot be read${first.error === null ? '' : ` (${first.error})`}${more}`;
}

/** @param {number} down */
function iconUrl(down) {
  const color = down === 0 ? '#1a7f37' : '#cf222e';
  const count = down > 99 ? '99' : String(down);
  const size = count.length > 1 ? 16 : 20;
  const text =
    down === 0
      ? ''
      : `<text x="16" y="22" font-family="sans-serif" font-weight="bold" font-size="${size}" text-anchor="middle" fill="#fff">${count}</text>`;
  const shape =
    down === 0
      ? '<circle cx="16" cy="16" r="14"'
      : '<rect x="2" y="2" width="28" height="28" rx="4"';
  const picture = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${shape} fill="${color}"/>${text}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(picture)}`;
}

/** @param {string} id */
function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}
