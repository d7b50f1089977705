/** What the dashboards read: metrics, recordings, and how far back. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { KNOWN, RTT, UP } from '../../src/upstream/long-spans.js';
import { queriesOf, readBoards, readRules } from '../support/dashboards.js';

const rules = readRules();
const queries = readBoards().flatMap(queriesOf);
const listed = [
  ...readFileSync('docs/metrics.md', 'utf8').matchAll(/^\| `(sip_keepalive_\w+)` \|/gm),
].map(([, name = '']) => name);

/** Metrics without a panel or a rule, and why. */
const UNUSED: Readonly<Record<string, string>> = {
  sip_keepalive_exporter_incidents_dropped_total:
    'a list that keeps the newest; /api/v1/incidents has the number too',
};

/** Metrics of Prometheus itself and of prom-client. */
const FROM_ELSEWHERE = /^(?:up|ALERTS|scrape_\w+|process_\w+|nodejs_\w+)$/;

/** Recordings, metrics before a brace, and metrics with the prefix of the exporter. */
const namesIn = (text: string): string[] =>
  withoutVariables(text).match(/\b[a-z_]+:\w+:\w+|\b[A-Za-z_]\w*(?=\{)|\bsip_keepalive_\w+/g) ?? [];

/** Of a metric that a variable names, all that it may name. */
function withoutVariables(text: string): string {
  return text
    .replaceAll('_$histograms', '_seconds')
    .replaceAll('$tile', '5m')
    .replaceAll('$states', 'sip_keepalive_is_alive')
    .replaceAll('$drainings', 'sip_keepalive_draining')
    .replace(/"[^"]*"/g, (quoted) =>
      quoted.includes('sip_keepalive_') ? quoted.slice(1, -1) : '""',
    );
}

const family = (name: string) => name.replace(/_(?:bucket|sum|count)$/, '');

test('every metric of the dashboards is in docs/metrics.md, is recorded, or comes from elsewhere', () => {
  const recorded = new Set(rules.map(({ record }) => record));
  for (const { where, text, kind } of queries) {
    const names = namesIn(text).filter((name) => !/_seconds\($|^label_/.test(name));
    assert.ok(names.length > 0 || kind === 'query_result', where);
    for (const name of names) {
      const isKnown = listed.includes(name) || listed.includes(family(name));
      assert.ok(isKnown || recorded.has(name) || FROM_ELSEWHERE.test(name), `${where}: ${name}`);
    }
  }
});

test('every recording is read by a dashboard, an alert, the status page, or a recording that is', () => {
  const texts = [
    ...queries.flatMap(({ text }) => ['5m', '1h'].map((tile) => text.replaceAll('$tile', tile))),
    ...[UP, KNOWN, ...Object.values(RTT)],
  ];
  const isRead = (record: string): boolean =>
    texts.some((text) => mentions(text, record)) ||
    rules.some(
      (rule) => mentions(rule.expr, record) && (rule.record === undefined || isRead(rule.record)),
    );
  for (const { record } of rules) if (record !== undefined) assert.ok(isRead(record), record);
});

test('every metric has a panel or a rule, or a reason to have none', () => {
  const texts = [
    ...queries.map(({ text }) => withoutVariables(text)),
    ...rules.map(({ expr }) => expr),
  ];
  const used = new Set(texts.flatMap((text) => [...namesIn(text), ...namesIn(text).map(family)]));
  const recordedFrom = rules.flatMap(({ expr }) => namesIn(expr)).map(family);
  const unused = listed.filter((name) => !used.has(name) && !recordedFrom.includes(name));
  assert.deepEqual(unused.sort(), Object.keys(UNUSED).sort());
});

test('what looks back over the time range of the fleet reads recordings only', () => {
  const ofFleet = queries.filter(({ board }) => board === 'sip-keepalive-fleet');
  const lookBacks = ofFleet.flatMap(({ where, text }) =>
    [...text.matchAll(/(\S+)\{[^{}]*\}\[\$__range\]/g)].map(([, name = '']) => ({ where, name })),
  );
  assert.ok(lookBacks.length > 8);
  for (const { where, name } of lookBacks) assert.match(name, /destination:\w+:\w+/, where);
  assert.ok(!ofFleet.some(({ text }) => text.includes('$__rate_interval')));
});

test('counters are read as increases, over a time range that fits', () => {
  for (const { where, text } of queries.filter(({ text }) => /_total\b/.test(text))) {
    for (const [, before = ''] of text.matchAll(/(\w+\(|[^\w(])\w*_total\{/g))
      assert.match(before, /^(?:rate|increase)\($/, `${where}: ${before}`);
    for (const [, window = ''] of text.matchAll(/\[([^\]]*)\]/g))
      assert.match(window, /^(?:\$__rate_interval|\$__range|5m)( @ end\(\))?$/, where);
  }
});

const mentions = (text: string, record: string): boolean =>
  new RegExp(`(?<![\\w:])${record}(?![\\w:])`).test(text);
