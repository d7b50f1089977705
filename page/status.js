/** The status page: fetches, listens, and shows the list or one destination. */

import { detail } from './detail.js';
import { el, renew } from './dom.js';
import { List } from './list.js';

/** How often the list and a destination are fetched anew, beside what events tell at once. */
const LIST_MS = 10_000;
const LONG_LIST_MS = 60_000;
const LONG_LIST = 2_000;
const DETAIL_MS = 3_000;
/** What many events ask for at once is fetched once. */
const SOON_MS = 500;
/** How soon after a refusal events are asked for again; a browser itself does so after less. */
const REFUSED_MS = 5_000;
/** Destinations whose last hour is asked for at once. */
const HOURS = 30;

const main = /** @type {HTMLElement} */ (document.getElementById('main'));
const live = /** @type {HTMLElement} */ (document.getElementById('live'));
const list = new List(() => showHoursSoon());
const probes = el('section', { 'aria-label': 'Recent probes' });
/** @type {EventSource | undefined} */
let events;
let wasCutOff = false;
/** @type {number | undefined} */
let timer;
/** @type {number | undefined} */
let hoursTimer;
/** How many looks there were; the last one sets the time of the next. */
let looks = 0;
let isLookDue = false;

/** @param {string} path */
async function fetchJson(path) {
  const response = await fetch(path, { headers: { Accept: 'application/json' } });
  const content = await response.json();
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

async function show() {
  clearTimeout(timer);
  const look = ++looks;
  const name = destinationInView();
  let nextMs = DETAIL_MS;
  try {
    if (name === undefined) nextMs = await showList();
    else await showDetail(name);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    if (name !== undefined) showTrouble(name, text);
    else live.textContent = `Not reached: ${text}`;
  }
  if (look !== looks) return;
  timer = setTimeout(() => (document.hidden ? undefined : void show()), nextMs);
}

function showSoon() {
  if (isLookDue) return;
  isLookDue = true;
  setTimeout(() => {
    isLookDue = false;
    void show();
  }, SOON_MS);
}

async function showList() {
  document.title = 'SIP keepalive';
  const count = await list.take(
    fetchJson('api/v1/destinations?view=brief').then(({ destinations }) => destinations),
  );
  if (destinationInView() !== undefined) return LIST_MS;
  if (!main.contains(probes)) {
    main.replaceChildren(...list.parts, probes);
    list.render();
  }
  await Promise.all([showHours(list.drawn), showProbes()]);
  return count > LONG_LIST ? LONG_LIST_MS : LIST_MS;
}

/** @param {readonly string[]} names */
async function showHours(names) {
  for (let i = 0; i < names.length; i += HOURS) {
    const some = names.slice(i, i + HOURS);
    const query = some.map((name) => `destination=${encodeURIComponent(name)}`).join('&');
    const { histories } = await fetchJson(`api/v1/history?${query}`);
    list.showHours(some, histories);
  }
}

/** Of rows that have come into view. */
function showHoursSoon() {
  clearTimeout(hoursTimer);
  hoursTimer = setTimeout(() => {
    if (destinationInView() === undefined) void showHours(list.unknownHours).catch(() => {});
  }, SOON_MS / 2);
}

async function showProbes() {
  const { probes: all } = await fetchJson('api/v1/probes');
  if (all.length === 0) {
    probes.replaceChildren();
    return;
  }
  const rows = all.map((/** @type {any} */ probe) =>
    el(
      'tr',
      {},
      el('td', {}, probe.target),
      el('td', {}, probe.module),
      el('td', {}, probe.alive ? 'alive' : (probe.reason ?? 'not alive')),
      el(
        'td',
        {},
        el(
          'a',
          { href: `logs?id=${probe.id}`, 'aria-label': `log of the probe of ${probe.target}` },
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
  const all = await fetchJson(`api/v1/destinations/${path}`);
  if (destinationInView() !== name) return;
  document.title = `${all.destination}: ${all.state}`;
  renew(main, detail(all));
}

/**
 * @param {string} name
 * @param {string} text
 */
function showTrouble(name, text) {
  document.title = `${name}: ${text}`;
  // The same one again would be read out again.
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
    // More may have been missed than is told again.
    if (wasCutOff) showSoon();
    wasCutOff = false;
  });
  source.addEventListener('error', () => {
    live.textContent = 'Cut off; trying again…';
    wasCutOff = true;
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(() => {
      if (source === events && !document.hidden) listen();
    }, REFUSED_MS);
  });
  for (const name of ['dst-up', 'dst-down', 'dst-unknown']) {
    source.addEventListener(name, (event) => {
      const change = JSON.parse(/** @type {MessageEvent<string>} */ (event).data);
      const shown = destinationInView();
      const isKnown = list.change(change);
      if (shown === undefined ? !isKnown : shown === change.destination) showSoon();
    });
  }
}

addEventListener('hashchange', () => {
  void show().then(() => main.focus());
});
addEventListener('resize', () => list.render());
document.addEventListener('visibilitychange', () => {
  if (document.hidden) {
    // A browser has six connections to us for all its tabs.
    events?.close();
    live.textContent = 'Paused';
    wasCutOff = true;
    return;
  }
  listen();
  void show();
});
// Its address would be that of the list.
document.querySelector('.skip')?.addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});
listen();
void show();
