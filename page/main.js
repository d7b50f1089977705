/** The entry of the page: shows the view that the URL names and keeps it up to date. */

import { ApiError, errorText } from './api.js';
import { DestinationView } from './destination/view.js';
import { Frame } from './frame.js';
import { IncidentsView } from './incidents/view.js';
import { ListView } from './list/view.js';
import { Live } from './live.js';
import { ProbesView } from './probes/view.js';
import { formatRoute, parseRoute } from './route.js';
import { showSilencesProblem } from './silences/problem.js';
import { SilencesView } from './silences/view.js';
import { Store } from './store.js';
import { hideTip } from './tip.js';
import { WallView } from './wall/view.js';

/**
 * @typedef {import('./context.js').PageContext} PageContext
 * @typedef {import('./context.js').View} View
 * @typedef {import('./route.js').ViewName} ViewName
 */

/** Pause after a failed refresh. */
const RETRY_MS = 5_000;
/** Changes within this time cause one refresh. */
const DEBOUNCE_MS = 500;
/** How often ages are shown anew. */
const TICK_MS = 1_000;
const STATUS_MS = 10_000;

const isWall = new URLSearchParams(location.search).has('wall');
const store = new Store();
const frame = new Frame();
const live = new Live({
  onChange: (change) => {
    const isKnown = store.change(change) !== undefined;
    if (view.changed(change, isKnown) === true) refreshSoon();
  },
  onReconnected: () => refreshSoon(),
  onState: () => showFrame(),
});

/** @type {PageContext} */
const context = {
  store,
  choose: (query) => {
    route.query = query;
    const hash = formatRoute(route);
    history.replaceState(history.state, '', hash);
    if (route.view === 'list') listHref = hash;
  },
  now: () => store.exporterTime(live.state === 'disconnected' ? live.lastContactMs : Date.now()),
  listHref: () => listHref,
  canSilence: () => store.status?.web.alertmanager === true && store.status.web.admin,
  refresh: () => refresh(),
  reloadSilences: async () => {
    await store.loadSilences();
    await refresh();
  },
};

/** @type {Readonly<Record<ViewName, (context: PageContext) => View>>} */
const VIEWS = {
  list: (context) => (isWall ? new WallView(context) : new ListView(context)),
  destination: (context) => new DestinationView(context),
  incidents: (context) => new IncidentsView(context),
  silences: (context) => new SilencesView(context),
  probes: () => new ProbesView(),
};

let listHref = '#/';
let route = parseRoute(location.hash);
let view = VIEWS[route.view](context);
/** @type {number | undefined} */ let timer;
/** Numbers the refreshes; only the latest schedules the next. */
let refreshes = 0;
let isRefreshDue = false;

function showView() {
  if (route.view === 'list') listHref = formatRoute(route);
  hideTip();
  // First it becomes a part of the document: the list needs the height of its rows.
  frame.setView(view.element, route.view);
  view.show(route);
  showFrame();
  setTitle();
}

function showFrame() {
  frame.show(store, live);
  showSilencesProblem(store);
}

function setTitle() {
  frame.setTitle(view.title, store.rows);
}

async function refresh() {
  clearTimeout(timer);
  const number = ++refreshes;
  const refreshed = view;
  let pauseMs = RETRY_MS;
  try {
    pauseMs = await refreshed.refresh();
    live.refreshed();
    frame.setError('');
  } catch (error) {
    // An answer, even this one, says that the exporter is there.
    const isAnswer = error instanceof ApiError;
    if (isAnswer) live.contacted();
    if (refreshed === view) frame.setError(errorText(error), isAnswer);
  }
  if (number !== refreshes) return;
  setTitle();
  showFrame();
  timer = setTimeout(() => {
    if (!document.hidden) void refresh();
  }, pauseMs);
}

function refreshSoon() {
  if (isRefreshDue) return;
  isRefreshDue = true;
  setTimeout(() => {
    isRefreshDue = false;
    void refresh();
  }, DEBOUNCE_MS);
}

async function refreshStatus() {
  try {
    await store.loadStatus();
    live.contacted();
  } catch {
    // The refresh of the view shows the failure.
  }
  showFrame();
}

function onHashChange() {
  const next = parseRoute(location.hash);
  const isSame = next.view === route.view && next.view !== 'destination';
  route = next;
  if (!isSame) {
    view.close();
    view = VIEWS[route.view](context);
  }
  showView();
  /** @type {unknown} */ const state = history.state;
  // Back returns to the place in the list; a link leads to the top.
  const place =
    typeof state === 'object' && state !== null && 'scrollY' in state ? state.scrollY : 0;
  frame.focusMain();
  scrollTo(0, Number(place));
  void refresh();
}

function onVisibilityChange() {
  if (document.hidden) {
    live.pause();
    return;
  }
  live.start();
  void refreshStatus();
  void refresh();
}

history.scrollRestoration = 'manual';
addEventListener('hashchange', onHashChange);
addEventListener('scrollend', () => history.replaceState({ scrollY }, ''));
document.addEventListener('visibilitychange', onVisibilityChange);
setInterval(() => {
  if (document.hidden) return;
  view.tick();
  setTitle();
  showFrame();
}, TICK_MS);
setInterval(() => {
  if (!document.hidden) void refreshStatus();
}, STATUS_MS);
showView();
live.start();
void refreshStatus();
void refresh();
