/** The error budget of 30 days on a real Prometheus with made-up outages: what counts, and what does not. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { queriesOf, readBoards } from '../support/dashboards.js';
import { ask, substituted } from '../support/grafana.js';
import { History, type PastSeries } from '../support/history.js';
import { eventually } from '../support/process.js';
import { needs } from '../support/tools.js';

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
/** What 99.9 % of 30 days allow. */
const BUDGET = 0.001 * 30 * DAY;
const SCRAPE = 60;
/** A mean over five minutes has a sample more or less. */
const SLACK = 10;
/** Made-up samples end without a marker, so the last one counts until the five minutes are over. */
const SLACK_DEAD = 300;

interface Past {
  readonly destination: string;
  readonly instance?: string;
  /** Periods in seconds before now: from the older to the newer end. */
  readonly down?: readonly (readonly [number, number])[];
  readonly unknown?: readonly (readonly [number, number])[];
}

const ago = (seconds: number, length: number) => [seconds, seconds - length] as const;

const PASTS: readonly Past[] = [
  { destination: 'good' },
  { destination: 'outage', down: [ago(10 * DAY, 30 * MINUTE)] },
  { destination: 'missed', down: [ago(20 * DAY, 40 * MINUTE), ago(3 * DAY, 20 * MINUTE)] },
  { destination: 'forgiven', down: [ago(30.5 * DAY, 5 * HOUR)] },
  // Its exporter was dead for an hour, and for all but two minutes of another.
  {
    destination: 'dead',
    down: [ago(5 * DAY, 10 * MINUTE), ago(7 * DAY, 2 * MINUTE)],
    unknown: [
      ago(6 * DAY, HOUR),
      ago(7 * DAY - 2 * MINUTE, 58 * MINUTE),
      ago(7 * DAY + HOUR, HOUR),
    ],
  },
  { destination: 'unknown', down: [ago(9 * DAY, 20 * MINUTE)], unknown: [ago(8 * DAY, DAY)] },
  { destination: 'new', unknown: [ago(31 * DAY, 29 * DAY)], down: [ago(DAY, 10 * MINUTE)] },
  // Another exporter took over, as a pod with another name does.
  {
    destination: 'moved',
    instance: 'pod-a',
    unknown: [ago(15 * DAY, 15 * DAY)],
    down: [ago(16 * DAY, 10 * MINUTE)],
  },
  {
    destination: 'moved',
    instance: 'pod-b',
    unknown: [ago(31 * DAY, 16 * DAY)],
    down: [ago(2 * DAY, 10 * MINUTE)],
  },
  // Two exporters watch it, and see the same.
  { destination: 'twice', instance: 'a', down: [ago(4 * DAY, 20 * MINUTE)] },
  { destination: 'twice', instance: 'b', down: [ago(4 * DAY, 20 * MINUTE)] },
];

/** Seconds down of the last 30 days, and seconds known. */
const WANTED: Readonly<Record<string, readonly [down: number, known: number]>> = {
  good: [0, 30 * DAY],
  outage: [30 * MINUTE, 30 * DAY],
  missed: [60 * MINUTE, 30 * DAY],
  forgiven: [0, 30 * DAY],
  dead: [12 * MINUTE, 30 * DAY - 2 * HOUR - 58 * MINUTE],
  unknown: [20 * MINUTE, 29 * DAY],
  new: [10 * MINUTE, 2 * DAY],
  moved: [20 * MINUTE, 30 * DAY],
  twice: [20 * MINUTE, 30 * DAY],
};

function seriesOf(
  { destination, instance = 'x', down = [], unknown = [] }: Past,
  now: number,
): PastSeries {
  const within = (periods: Past['down'], age: number) =>
    periods?.some(([from, to]) => age <= from && age > to);
  const samples: [number, number][] = [];
  for (let age = 31 * DAY; age >= 0; age -= SCRAPE) {
    if (!within(unknown, age)) samples.push([now - age, within(down, age) ? 0 : 1]);
  }
  return { labels: { job: 'j', instance, destination }, samples };
}

async function past(t: TestContext, now: number) {
  const history = new History(t, now - 31 * DAY, now);
  history.add(
    'sip_keepalive_up',
    PASTS.map((one) => seriesOf(one, now)),
  );
  // As Prometheus does it: at a time of each group's own within its interval.
  const tiles = { intervalSeconds: 300, phaseSeconds: 137 };
  const hours = { intervalSeconds: HOUR, phaseSeconds: 1511 };
  for (const [span, schedule] of [
    ['sum5m', tiles],
    ['sum1h', hours],
    ['sum30d', hours],
  ] as const)
    for (const metric of ['known', 'up'])
      await history.record(`destination:sip_keepalive_${metric}_seconds:${span}`, schedule);
  return history.start();
}

test(
  'a month counts what was known: time without a scrape or a state is neither up nor down',
  needs('prometheus', 'promtool'),
  async (t) => {
    const now = Math.floor(Date.now() / 1000);
    const { url } = await past(t, now);
    const queries = readBoards().flatMap(queriesOf);
    /** The values by destination. */
    const figures = async (where: string, destination = '.*') => {
      const { kind, text } = queries.find((one) => one.where === where) ?? assert.fail(where);
      const values = { slo: '99.9', instance: '.*', label: 'instance', value: '.*', destination };
      const series = await ask(url, { kind, text: substituted(text, values) });
      return new Map(series.map(({ labels, value }) => [labels['destination'] ?? '', value]));
    };
    await eventually(
      'the past is there',
      async () =>
        (await figures('sip-keepalive-fleet / Error budget of 30 days / A')).size ===
        Object.keys(WANTED).length,
    );
    const columns = await Promise.all(
      ['A', 'B', 'C', 'D', 'E'].map((id) =>
        figures(`sip-keepalive-fleet / Error budget of 30 days / ${id}`),
      ),
    );
    const isAbout = (value: number | undefined, wanted: number, slack: number, what: string) =>
      assert.ok(
        Math.abs((value ?? Number.NaN) - wanted) <= slack,
        `${what}: ${value}, wanted ${wanted}`,
      );

    for (const [name, [downSeconds, knownSeconds]] of Object.entries(WANTED)) {
      const slack = name === 'dead' ? SLACK_DEAD : SLACK;
      const areRight = (ratio = 0, share = 0, down = 0, left = 0, knownSlack = 0) => {
        const counted = share * 30 * DAY;
        isAbout(counted, knownSeconds, knownSlack, 'known');
        isAbout(down, downSeconds, slack, 'down');
        isAbout(left, BUDGET - downSeconds, slack, 'left');
        isAbout(ratio, 1 - downSeconds / counted, slack / counted, 'availability');
      };
      await t.test(`${name}: the table of the fleet`, () => {
        const [ratio, down, left, , share] = columns.map((column) => column.get(name));
        // Hourly figures lack up to an hour at the end.
        areRight(ratio, share, down, left, 2 * HOUR);
      });
      await t.test(`${name}: its own dashboard`, async () => {
        const [ratio, share, left, down] = await Promise.all(
          [
            'Availability of 30 days / A',
            'Availability of 30 days / B',
            'Budget left / A',
            'Budget left / B',
          ].map(async (title) =>
            (await figures(`sip-keepalive-destination / ${title}`, name)).get(name),
          ),
        );
        areRight(ratio, share, down, left, 20 * MINUTE);
      });
    }

    await t.test('objectives that are missed are counted', async () => {
      const missed = await figures('sip-keepalive-fleet / Objective missed / A');
      assert.deepEqual([...missed.values()], [1]);
    });
  },
);
