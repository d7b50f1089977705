/**
 * Builds a stock prom-client registry with the series of a text exposition, and serves it.
 *
 * usage: prom-client FILE PORT      prints "SERIES" when it serves /metrics; then, for each line of
 *                                   input, the median time of rendering it, in milliseconds
 */

import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { percentile } from '../samples.js';

type Labels = Record<string, string>;
interface Family {
  /** Adds one sample of the exposition. */
  add(name: string, labels: Labels, value: number): void;
}

const [file = '', port = ''] = process.argv.slice(2);
const registry = new Registry();
const registers = [registry];
const help = new Map<string, string>();
const types = new Map<string, string>();
let family: Family | undefined;
let familyName = '';
let series = 0;

for await (const line of createInterface({ input: createReadStream(file) })) {
  const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
  if (comment !== null) {
    const [, kind, name = '', rest = ''] = comment;
    (kind === 'HELP' ? help : types).set(name, rest);
    familyName = name;
    family = undefined;
  } else if (line !== '') {
    series++;
    addSample(line);
  }
}

const text = await registry.metrics();
const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
if (lines !== series) throw new Error(`expected ${series} series, got ${lines}`);

const renderingMs: number[] = [];
const server = createServer(async (_request, response) => {
  const began = performance.now();
  const body = await registry.metrics();
  renderingMs.push(performance.now() - began);
  response.setHeader('Content-Type', registry.contentType).end(body);
});
server.listen(Number(port), '127.0.0.1', () => console.log(series));

const questions = createInterface({ input: process.stdin });
questions.on('line', () => console.log(percentile(renderingMs, 0.5)));
questions.on('close', () => process.exit());

function addSample(line: string): void {
  const [, name = '', , inside = '', value = ''] = /^([^{ ]+)({(.*)})? (\S+)$/.exec(line) ?? [];
  const labels: Labels = {};
  for (const [, label = '', text = ''] of inside.matchAll(/([^=,]+)="((?:[^"\\]|\\.)*)"/g)) {
    labels[label] = text;
  }
  family ??= newFamily(Object.keys(labels));
  family.add(name, labels, Number(value));
}

function newFamily(labelNames: string[]): Family {
  const options = { name: familyName, help: help.get(familyName) ?? '', registers };
  switch (types.get(familyName)) {
    case 'counter': {
      // The first series has all labels, including those that come later, such as a version.
      const counter = new Counter({ ...options, labelNames });
      return { add: (_name, labels, value) => counter.inc(labels, value) };
    }
    case 'histogram':
      return histogram(options, labelNames);
    default: {
      const gauge = new Gauge({ ...options, labelNames });
      return { add: (_name, labels, value) => gauge.set(labels, value) };
    }
  }
}

/** Observes as many values in each bucket as the exposition has. */
function histogram(options: { name: string; help: string }, labelNames: string[]): Family {
  const names = labelNames.filter((name) => name !== 'le');
  let series: { bound: number; count: number }[] = [];
  let made: Histogram | undefined;
  return {
    add(name, { le, ...labels }, value) {
      if (le !== undefined)
        series.push({ bound: Number(le.replace('+Inf', 'Infinity')), count: value });
      if (!name.endsWith('_count')) return;
      const buckets = series.map(({ bound }) => bound).filter(Number.isFinite);
      made ??= new Histogram({ ...options, labelNames: names, buckets, registers });
      made.zero(labels);
      let below = 0;
      for (const { bound, count } of series) {
        const inside = Number.isFinite(bound) ? bound : 2 * (buckets.at(-1) ?? 1);
        for (; below < count; below++) made.observe(labels, inside);
      }
      series = [];
    },
  };
}
