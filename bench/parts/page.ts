/** Speed of the status page with thousands of rows, in a real Chromium. */

import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { Part } from '../bench.js';
import { withExporter } from '../exporter.js';
import { atMost, duration, grouped, type Row } from '../report.js';
import { percentile } from '../samples.js';

const ROWS = 5_000;
const ROUNDS = 15;
const CHROMIUM = '/usr/bin/chromium';
const MAX_PAINT_MS = 300;
const MAX_ACTION_MS = 100;
const MAX_TASK_MS = 100;
const MAX_KILOBYTES = 150;

/** Runs before the page: remembers the tasks that block it for more than 50 ms. */
const OBSERVE = `
  window.longTasks = [];
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.longTasks.push(duration);
  }).observe({ type: 'longtask', buffered: true });
`;

/** Runs in the page. Times are in milliseconds, from the call to the resulting layout. */
const MEASURE = `(async () => {
  const { ListView } = await import('/page/list/view.js');
  const { Store } = await import('/page/store.js');
  const store = new Store();
  const context = { store, choose: () => {}, canSilence: () => false, reloadSilences: () => {} };
  const view = new ListView(context);
  await store.loadRows();
  const names = store.rows.map(({ destination }) => destination);
  document.getElementById('main').replaceChildren(view.element);
  const show = (text) => view.show({ query: new URLSearchParams(text) });
  const timed = (act) => {
    const began = performance.now();
    act();
    document.body.getBoundingClientRect();
    return performance.now() - began;
  };
  const figures = { rows: 0, render: [], filter: [], group: [], longTasks: [], paint: 0, bytes: 0 };
  for (let round = 0; round < ${ROUNDS}; round++) {
    figures.render.push(timed(() => show('')));
    figures.rows = document.querySelector('table').getAttribute('aria-rowcount') - 1;
    figures.filter.push(timed(() => show('q=gateway-' + round)));
    figures.group.push(timed(() => show('group=owner')));
  }
  show('');
  // All rounds were one task, of which the browser tells afterwards.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  window.longTasks.length = 0;
  const changed = {
    ...{ code: 2, state: 'down', reason: 'timeout', reason_text: 'no answer in time' },
    ...{ detail: null, at: new Date().toISOString() },
  };
  const step = names.length / 100;
  for (let i = 0; i < 100; i++) {
    for (const destination of names.slice(i * step, (i + 1) * step)) {
      const change = { destination, ...changed };
      view.changed(change, store.change(change) !== undefined);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  figures.longTasks = window.longTasks;
  const [paint] = performance.getEntriesByName('first-contentful-paint');
  figures.paint = paint.startTime;
  figures.bytes = [...performance.getEntriesByType('resource'), performance.getEntriesByType('navigation')[0]]
    .filter(({ name }) => name.includes('/page/') || name.endsWith('/'))
    .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0);
  return figures;
})()`;

interface Figures {
  readonly rows: number;
  readonly render: readonly number[];
  readonly filter: readonly number[];
  readonly group: readonly number[];
  /** Tasks of more than 50 ms while each row changes, in ten seconds. */
  readonly longTasks: readonly number[];
  readonly paint: number;
  readonly bytes: number;
}

export const page: Part = async (bench) => {
  if (!existsSync(CHROMIUM)) return [{ part: 'page', what: 'not run', figure: `no ${CHROMIUM}` }];
  bench.say(`the status page with ${grouped(ROWS)} rows`);
  const options = { destinations: ROWS, intervalSeconds: 30, isPinned: false };
  const figures = await withExporter(bench, options, ({ url }) => measure(url));
  if (figures.rows !== ROWS) throw new Error(`expected ${ROWS} rows, got ${figures.rows}`);
  return rowsOf(figures);
};

function rowsOf({ render, filter, group, longTasks, paint, bytes }: Figures): Row[] {
  const row = (what: string, rest: Omit<Row, 'part' | 'what'>): Row => ({
    ...{ part: 'page', what: `${grouped(ROWS)} rows: ${what}` },
    ...rest,
  });
  const action = (what: string, all: readonly number[]): Row =>
    row(what, {
      figure: `${duration(1000 * percentile(all, 0.5))}, at most ${duration(1000 * Math.max(...all))}`,
      goal: `under ${MAX_ACTION_MS} ms`,
      verdict: atMost(Math.max(...all), MAX_ACTION_MS),
    });
  const longest = Math.max(0, ...longTasks);
  const kilobytes = bytes / 1000;
  return [
    row('first paint', {
      ...{ figure: duration(1000 * paint), goal: `under ${MAX_PAINT_MS} ms` },
      verdict: atMost(paint, MAX_PAINT_MS),
    }),
    action('all shown', render),
    action('filtered', filter),
    action('grouped', group),
    row('longest task while each changes in 10 s', {
      figure: longest === 0 ? 'none over 50 ms' : duration(1000 * longest),
      goal: `at most ${MAX_TASK_MS} ms`,
      verdict: atMost(longest, MAX_TASK_MS),
    }),
    row('the page, compressed', {
      ...{ figure: `${kilobytes.toFixed(0)} KB`, goal: `under ${MAX_KILOBYTES} KB` },
      verdict: atMost(kilobytes, MAX_KILOBYTES),
    }),
  ];
}

async function measure(url: string): Promise<Figures> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  try {
    const opened = await browser.newPage();
    await opened.addInitScript(OBSERVE);
    await opened.goto(url);
    await opened.locator('td.destination a').first().waitFor();
    return await opened.evaluate<Figures>(MEASURE);
  } finally {
    await browser.close();
  }
}
