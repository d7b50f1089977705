/** Speed of the status page with thousands of rows, in a real Chromium. */

import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { Part } from '../bench.js';
import { withExporter } from '../exporter.js';
import { atMost, duration, grouped, type Row } from '../report.js';
import { percentile } from '../samples.js';

const ROWS = 5_000;
const MAX_MS = 200;
const ROUNDS = 15;
const CHROMIUM = '/usr/bin/chromium';

/** Runs in the page. Each figure is in milliseconds, from the call to the resulting layout. */
const MEASURE = `(async () => {
  const { List } = await import('/page/list.js');
  const { destinations } = await (await fetch('/api/v1/destinations?view=brief')).json();
  const list = new List(() => {});
  document.getElementById('main').replaceChildren(...list.parts);
  const search = document.getElementById('search');
  const timed = async (act) => {
    const began = performance.now();
    await act();
    document.body.getBoundingClientRect();
    return performance.now() - began;
  };
  const find = (text) => {
    search.value = text;
    search.dispatchEvent(new Event('input'));
  };
  const changed = {
    ...{ code: 2, state: 'down', reason: 'timeout', reason_text: 'no answer in time' },
    ...{ detail: null, at: new Date().toISOString() },
  };
  const outage = () => {
    for (const { destination } of destinations) list.change({ destination, ...changed });
  };
  const figures = { rows: 0, render: [], filter: [], clear: [], outage: [] };
  for (let round = 0; round < ${ROUNDS}; round++) {
    figures.render.push(await timed(() => list.load(Promise.resolve(destinations))));
    figures.rows = document.querySelector('table').getAttribute('aria-rowcount') - 1;
    figures.filter.push(await timed(() => find('gateway-' + round)));
    figures.clear.push(await timed(() => find('')));
    figures.outage.push(await timed(outage));
  }
  return figures;
})()`;

interface Figures {
  readonly rows: number;
  readonly render: readonly number[];
  readonly filter: readonly number[];
  readonly clear: readonly number[];
  readonly outage: readonly number[];
}

export const page: Part = async (bench) => {
  if (!existsSync(CHROMIUM)) return [{ part: 'page', what: 'not run', figure: `no ${CHROMIUM}` }];
  bench.say(`the status page with ${grouped(ROWS)} rows`);
  const options = { destinations: ROWS, intervalSeconds: 30, isPinned: false };
  const figures = await withExporter(bench, options, ({ url }) => measure(url));
  if (figures.rows !== ROWS) throw new Error(`expected ${ROWS} rows, got ${figures.rows}`);
  const row = (what: string, all: readonly number[]): Row => ({
    ...{ part: 'page', what: `${grouped(ROWS)} rows: ${what}` },
    figure: `${duration(1000 * percentile(all, 0.5))}, at most ${duration(1000 * Math.max(...all))}`,
    ...{ goal: 'under 200 ms', verdict: atMost(Math.max(...all), MAX_MS) },
  });
  return [
    row('first shown', figures.render),
    row('filtered', figures.filter),
    row('filter cleared', figures.clear),
    row('a change of every row', figures.outage),
  ];
};

async function measure(url: string): Promise<Figures> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  try {
    const opened = await browser.newPage();
    await opened.goto(url);
    return await opened.evaluate<Figures>(MEASURE);
  } finally {
    await browser.close();
  }
}
