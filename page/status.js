/** The status page: fetches data, listens for events, and shows the list or one destination. */

import { detail } from './detail.js';
import { el, update } from './dom.js';
import { List } from './list.js';
import { outcome } from './words.js';

/**
 * @typedef {import('../src/status/views.js').ChangeView} ChangeView
 * @typedef {import('../src/status/views.js').DestinationBrief} Row
 * @typedef {import('../src/status/views.js').DestinationDetails} DestinationDetails
 * @typedef {import('../src/status/views.js').HistoryView} HistoryView
 * @typedef {import('../src/status/views.js').ProbeView} ProbeView
 */

/** How often the list and a destination are fetched; events come in between. */
const LIST_MS = 10_000;
/** For more destinations than LONG_LIST. */
const LONG_LIST_MS = 60_000;
const LONG_LIST = 2_000;
const DETAIL_MS = 3_000;
/** Events within this time cause one fetch. */
const DEBOUNCE_MS = 500;
/** Pause before reconnecting after a refusal; after other failures the browser does it by itself. */
const RECONNECT_MS = 5_000;
/** Destinations per request for histories. */
const HISTORY_BATCH = 30;

const main = /** @type {HTMLElement} */ (document.getElementById('main'));
const live = /** @type {HTMLElement} */ (document.getElementById('live'));
const list = new List(() => showHistoriesSoon());
const probes = el('section', { 'aria-label': 'Recent probes' });
/** @type {EventSource | undefined} */
let events;
let wasDisconnected = false;
/** @type {number | undefined} */
let timer;
/** @type {number | undefined} */
let historyTimer;
/** Numbers the refreshes; only the latest schedules the next. */
let refreshes = 0;
let isRefreshDue = false;

/**
 * @param {string} path
 * @returns {Promise<unknown>}
 */
async function fetchJson(path) {
  const response = await fetch(path, { headers: { Accept: 'application/json' } });
  /** @type {{ error?: string }} */ const content = await response.json();
  if (!response.ok) throw new Error(content.error ?? response.statusText);
  return content;
}

function destinationInView() {
  const [, name] = /^#\/destination\/(.+)$/.exec(location.hash) ?? [];
  try {
    return name === undefined ? undefined : decodeURIComponent(name);
  } catch {
    return name;
  }
}

async function refresh() {
  clearTimeout(timer);
  const number = ++refreshes;
  const name = destinationInView();
  let nextMs = DETAIL_MS;
  try {
    if (name === undefined) nextMs = await showList();
    else await showDetail(name);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    if (name !== undefined) showError(name, text);
    else live.textContent = `Cannot reach the exporter: ${text}`;
  }
  if (number !== refreshes) return;
  timer = setTimeout(() => {
    if (!document.hidden) void refresh();
  }, nextMs);
}

function refreshSoon() {
  if (isRefreshDue) return;
  isRefreshDue = true;
  setTimeout(() => {
    isRefreshDue = false;
    void refresh();
  }, DEBOUNCE_MS);
}

async function showList() {
  document.title = 'SIP keepalive';
  const count = await list.load(fetchRows());
  if (destinationInView() !== undefined) return LIST_MS;
  if (!main.contains(probes)) {
    main.replaceChildren(...list.parts, probes);
    list.render();
  }
  await Promise.all([showHistories(list.rendered), showProbes()]);
  return count > LONG_LIST ? LONG_LIST_MS : LIST_MS;
}

async function fetchRows() {
  const { destinations } = /** @type {{ destinations: Row[] }} */ (
    await fetchJson('api/v1/destinations?view=brief')
  );
  return destinations;
}

/** @param {readonly string[]} names */
async function showHistories(names) {
  for (let i = 0; i < names.length; i += HISTORY_BATCH) {
    const batch = names.slice(i, i + HISTORY_BATCH);
    const query = batch.map((name) => `destination=${encodeURIComponent(name)}`).join('&');
    const { histories } = /** @type {{ histories: Record<string, HistoryView> }} */ (
      await fetchJson(`api/v1/history?${query}`)
    );
    list.showHistories(batch, histories);
  }
}

/** Fetches the histories of rows that have come into view. */
function showHistoriesSoon() {
  clearTimeout(historyTimer);
  historyTimer = setTimeout(() => {
    if (destinationInView() === undefined) showHistories(list.withoutHistory).catch(() => {});
  }, DEBOUNCE_MS / 2);
}

async function showProbes() {
  const { probes: all } = /** @type {{ probes: ProbeView[] }} */ (await fetchJson('api/v1/probes'));
  if (all.length === 0) {
    probes.replaceChildren();
    return;
  }
  const rows = all.map((probe) =>
    el(
      'tr',
      {},
      el('td', {}, probe.target),
      el('td', {}, probe.module),
      el('td', {}, outcome(probe)),
      el(
        'td',
        {},
        el(
          'a',
          { href: `logs?id=${probe.id}`, 'aria-label': `Log of the probe of ${probe.target}` },
          'log',
        ),
      ),
    ),
  );
  const heads = ['Target', 'Module', 'Outcome', 'Log'].map((title) =>
    el('th', { scope: 'col' }, title),
  );
  const table = el('table', {}, el('thead', {}, el('tr', {}, ...heads)), el('tbody', {}, ...rows));
  probes.replaceChildren(
    el('h2', {}, 'Recent probes'),
    el(
      'div',
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Recent probes' },
      table,
    ),
  );
}

/** @param {string} name */
async function showDetail(name) {
  const path = name.split('/').map(encodeURIComponent).join('/');
  const destination = /** @type {DestinationDetails} */ (
    await fetchJson(`api/v1/destinations/${path}`)
  );
  if (destinationInView() !== name) return;
  document.title = `${destination.destination}: ${destination.state}`;
  update(main, detail(destination));
}

/**
 * @param {string} name
 * @param {string} text
 */
function showError(name, text) {
  document.title = `${name}: ${text}`;
  // A screen reader would read the same text out again.
  if (main.querySelector('[role="alert"]')?.textContent === text) return;
  main.replaceChildren(
    el('p', {}, el('a', { href: '#/' }, 'All destinations')),
    el('p', { role: 'alert' }, text),
  );
}

function listen() {
  events?.close();
  const source = new EventSource('api/v1/events');
  events = source;
  source.addEventListener('open', () => {
    live.textContent = 'Live';
    // The server may have dropped some of the events that were missed.
    if (wasDisconnected) refreshSoon();
    wasDisconnected = false;
  });
  source.addEventListener('error', () => {
    live.textContent = 'Disconnected, reconnecting…';
    wasDisconnected = true;
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(() => {
      if (source === events && !document.hidden) listen();
    }, RECONNECT_MS);
  });
  for (const name of ['dst-up', 'dst-down', 'dst-unknown']) {
    source.addEventListener(name, (event) => {
      const { data } = /** @type {MessageEvent<string>} */ (event);
      const change = /** @type {ChangeView} */ (JSON.parse(data));
      const name = destinationInView();
      const isKnown = list.change(change);
      if (name === undefined ? !isKnown : name === change.destination) refreshSoon();
    });
  }
}

addEventListener('hashchange', () => {
  void refresh().then(() => main.focus());
});
addEventListener('resize', () => list.render());
document.addEventListener('visibilitychange', () => {
  if (document.hidden) {
    // A browser has six connections to one server, shared by all tabs.
    events?.close();
    live.textContent = 'Paused';
    wasDisconnected = true;
    return;
  }
  listen();
  void refresh();
});
// Following the link would change the address to that of the list.
document.querySelector('.skip')?.addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});
listen();
void refresh();
