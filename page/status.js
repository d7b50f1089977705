/** The status page: fetches, listens, and shows the list or one destination. */

import { detail } from './detail.js';
import { el } from './dom.js';
import { List } from './list.js';

/** How often the list and a destination are fetched anew, beside what events tell at once. */
const LIST_MS = 10_000;
const LONG_LIST_MS = 60_000;
const LONG_LIST = 2_000;
const DETAIL_MS = 3_000;
/** What many events ask for at once is fetched once. */
const SOON_MS = 500;

const main = /** @type {HTMLElement} */ (document.getElementById('main'));
const live = /** @type {HTMLElement} */ (document.getElementById('live'));
const list = new List();
const probes = el('section', { 'aria-label': 'Recent probes' });
/** @type {number | undefined} */
let timer;
/** How many looks there were; the last one sets the time of the next. */
let looks = 0;
let isLookDue = false;
let isFirstLook = true;

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
    if (name !== undefined)
      main.replaceChildren(
        el('p', {}, el('a', { href: '#/' }, 'All destinations')),
        el('p', { role: 'alert' }, text),
      );
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
  await Promise.all([showHistories(), showProbes()]);
  return count > LONG_LIST ? LONG_LIST_MS : LIST_MS;
}

async function showHistories() {
  const names = list.seen.slice(0, 60);
  if (names.length === 0) return;
  const query = names.map((name) => `destination=${encodeURIComponent(name)}`).join('&');
  const { histories } = await fetchJson(`api/v1/history?${query}`);
  list.histories = histories;
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
  const all = await fetchJson(
    `api/v1/destinations/${name.split('/').map(encodeURIComponent).join('/')}`,
  );
  if (destinationInView() !== name) return;
  document.title = `${all.destination}: ${all.state}`;
  const hadFocus = main.contains(document.activeElement) && document.activeElement !== main;
  // What somebody reads or has selected is not taken away.
  if (!isFirstLook && (hadFocus || !(getSelection()?.isCollapsed ?? true))) return;
  isFirstLook = false;
  main.replaceChildren(...detail(all));
}

function listen() {
  const events = new EventSource('api/v1/events');
  let wasCutOff = false;
  events.addEventListener('open', () => {
    live.textContent = 'Live';
    // More may have been missed than is told again.
    if (wasCutOff) showSoon();
    wasCutOff = false;
  });
  events.addEventListener('error', () => {
    live.textContent = 'Cut off; trying again…';
    wasCutOff = true;
  });
  for (const name of ['dst-up', 'dst-down', 'dst-unknown']) {
    events.addEventListener(name, (event) => {
      const change = JSON.parse(/** @type {MessageEvent<string>} */ (event).data);
      const name = destinationInView();
      const isKnown = list.change(change);
      if (name === undefined ? !isKnown : name === change.destination) showSoon();
    });
  }
}

addEventListener('hashchange', () => {
  isFirstLook = true;
  void show().then(() => main.focus());
});
addEventListener('resize', () => list.render());
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void show();
});
listen();
void show();
