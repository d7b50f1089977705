import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Query, queriesOf, readBoards } from '../support/dashboards.js';
import { ask, type Series, substituted } from '../support/grafana.js';
import { eventually } from '../support/process.js';
import { NAMED, SCRAPES, scrapedFleet } from '../support/scraped-fleet.js';
import { needs } from '../support/tools.js';

/** Queries without a result here, and why. */
const EMPTY: Readonly<Record<string, string>> = {
  'sip-keepalive-destination / Address details / E': 'no address comes from an SRV record',
  'sip-keepalive-destination / Last resolved / A': 'the only name never resolves',
};

/** The hidden variables, for a time range of an hour and of a month. */
const SHORT = {
  ...{ tile: '5m', states: 'sip_keepalive_is_alive', drainings: 'sip_keepalive_draining' },
};
const LONG = {
  tile: '1h',
  states: 'destination:sip_keepalive_is_alive:max5m',
  drainings: 'destination:sip_keepalive_draining:max5m',
};

const VALUES = {
  ...{ __rate_interval: '10s', __range: `${SCRAPES}s`, __range_s: `${SCRAPES}`, slo: '99.9' },
  ...{ job: 'sip-keepalive', instance: '.*', value: '.*' },
  ...{ histograms: 'seconds_bucket', ...SHORT },
};

/** The default of the dashboard, and a label of the configuration. */
const LABELS = ['instance', 'fleet'];

const queries = readBoards().flatMap(queriesOf);

test(
  'every query of the dashboards has a result on a real Prometheus that scrapes the fleet',
  needs('prometheus'),
  async (t) => {
    const { fleet, names: everyName, url, native } = await scrapedFleet(t);
    const result = ({ kind, text }: Query, destination = '.*', label = 'fleet', more = {}) =>
      ask(url, { kind, text: substituted(text, { ...VALUES, ...more, destination, label }) });
    const named = (where: string) =>
      result(queries.find((query) => query.where === where) ?? assert.fail(where));

    /** On the destination dashboard one member of the fleet with a result is enough. */
    const hasResult = async (query: Query, label: string): Promise<boolean> => {
      const names = query.board === 'sip-keepalive-destination' ? everyName : ['.*'];
      for (const name of names) if ((await result(query, name, label)).length > 0) return true;
      return false;
    };

    const withoutResult = async (label: string): Promise<string[]> => {
      const empty: string[] = [];
      for (const query of queries) {
        if (!(await hasResult(query, label))) empty.push(query.where);
      }
      return empty.sort();
    };

    for (const label of LABELS) {
      await t.test(
        `each has a result with the label ${label}, or a reason to have none`,
        async () => {
          // A scrape that was missed ends all series until the next one.
          let empty: readonly string[] = [];
          await eventually('all others have a result', async () => {
            empty = await withoutResult(label);
            return empty.length <= Object.keys(EMPTY).length;
          }).catch(() => {});
          assert.deepEqual(empty, Object.keys(EMPTY).sort());
        },
      );
    }

    await t.test('each has the result of a long time range too', async () => {
      const isChosen = ({ text }: Query) => /\$(?:tile|states|drainings)\b/.test(text);
      const chosen = queries.filter(isChosen);
      assert.ok(chosen.length > 10);
      for (const query of chosen) {
        await eventually(
          query.where,
          async () => (await result(query, '.*', 'fleet', LONG)).length > 0,
        );
      }
    });

    await t.test(
      'the hidden variables choose what is read by the length of the range',
      async () => {
        const fleetBoard = readBoards().find(({ uid }) => uid === 'sip-keepalive-fleet');
        for (const [seconds, wanted] of [
          [3600, SHORT],
          [86_400, SHORT],
          [86_401, LONG],
        ] as const) {
          for (const [name, value] of Object.entries(wanted)) {
            const { query = '', regex = '' } =
              fleetBoard?.templating.list.find((variable) => variable.name === name) ?? {};
            const text = substituted(query, { ...VALUES, __range_s: `${seconds}` });
            const [only, ...others] = await ask(url, { kind: 'query_result', text });
            // Grafana matches the expression with the series as text.
            const [, chosen] =
              new RegExp(regex.slice(1, -1)).exec(`{use="${only?.labels['use']}"} 1`) ?? [];
            assert.deepEqual([chosen, others], [value, []]);
          }
        }
      },
    );

    await t.test('each has the same result from native histograms', async () => {
      const ofHistograms = queries.filter(({ text }) => text.includes('$histograms'));
      assert.ok(ofHistograms.length > 8);
      const seriesOf = async (from: string, { kind, text, board }: Query, histograms: string) => {
        const names = board === 'sip-keepalive-destination' ? everyName : ['.*'];
        const found = new Set<string>();
        for (const destination of names) {
          const values = { ...VALUES, histograms, destination, label: 'fleet' };
          const series = await ask(from, { kind, text: substituted(text, values) });
          for (const { labels } of series) found.add(JSON.stringify({ ...labels, destination }));
        }
        return found;
      };
      for (const query of ofHistograms) {
        const isHeatmap = query.text.startsWith('sum by (le)');
        const inNative = await seriesOf(native, query, 'seconds');
        // A heatmap of native histograms is one series, whose buckets have no label.
        if (isHeatmap) assert.ok(inNative.size > 0, query.where);
        else {
          const inClassic = await seriesOf(url, query, VALUES.histograms);
          assert.deepEqual(inNative, inClassic, query.where);
        }
      }
    });

    await t.test('the variable selects native histograms where Prometheus has them', async () => {
      for (const board of readBoards()) {
        const variable = board.templating.list.find(({ name }) => name === 'histograms');
        assert.equal(variable === undefined, board.uid === 'sip-keepalive-fleet');
        if (variable === undefined) continue;
        const { query = '', regex = '' } = variable;
        const pattern = new RegExp(regex.slice(1, -1));
        for (const [from, wanted] of [
          [url, 'seconds_bucket'],
          [native, 'seconds'],
        ] as const) {
          const names = await ask(from, { kind: 'label_values', text: query });
          const values = names.map(({ labels }) => pattern.exec(labels['name'] ?? '')?.[1]);
          assert.deepEqual(values, [wanted], board.uid);
        }
      }
    });

    await t.test('the recording rules have quantiles of native histograms', async () => {
      for (const record of ['p95_rate5m', 'p50_rate1h', 'p95_avg5m'].map(
        (name) => `destination:sip_keepalive_rtt_seconds:${name}`,
      )) {
        const series = await eventually(
          record,
          async () => {
            const found = await ask(native, { kind: 'instant', text: record });
            return found.some(({ labels }) => labels['destination'] === 'slow') && found;
          },
          120_000,
        );
        const slow = series.find(({ labels }) => labels['destination'] === 'slow')?.value ?? 0;
        assert.ok(slow > 0.25 && slow < 1, `${record}: ${slow}`);
      }
      const lateness = 'instance:sip_keepalive_pinger_lateness_seconds:p99_rate5m';
      assert.equal((await ask(native, { kind: 'instant', text: lateness })).length, 1);
    });

    await t.test('the figures of the fleet dashboard are those of the fleet', async () => {
      const number = async (title: string) => {
        const [only] = await named(`sip-keepalive-fleet / ${title} / A`);
        return only?.value;
      };
      const monitored = await number('Monitored');
      const up = await number('Up');
      const down = await number('Down');
      assert.equal(monitored, everyName.length);
      const draining = await number('Draining');
      assert.equal((up ?? 0) + (down ?? 0) + (draining ?? 0), monitored);
      assert.equal(draining, fleet.members.filter(({ reason }) => reason === 'draining').length);
      // Without those, but with the name that does not resolve and the closed port.
      const isDown =
        fleet.members.filter(({ verdict }) => verdict === 'down').length + 2 - (draining ?? 0);
      const isFlapping = fleet.members.filter(({ verdict }) => verdict === 'flapping').length;
      assert.ok(down === isDown || down === isDown + isFlapping, `${down} are down`);
      assert.equal(await number('Unknown'), 0);
      const withCertificate = fleet.members.filter(({ certificate }) => certificate).length;
      assert.equal(await number('Certificates expiring'), withCertificate);
    });

    await t.test(
      'the table Worst first shows the state and the reason of each member',
      async () => {
        const column = async (refId: string) => {
          const series = await named(`sip-keepalive-fleet / Worst first / ${refId}`);
          return new Map(
            series.map((one): [string | undefined, Series] => [one.labels['destination'], one]),
          );
        };
        const reasons = await column('B');
        const loss = await column('D');
        const p95 = await column('E');
        const availability = await column('F');
        for (const { name, verdict, reason } of fleet.members) {
          if (verdict === 'flapping') continue;
          const isDown = verdict === 'down';
          assert.equal(reasons.get(name)?.labels['reason'], isDown ? reason : undefined, name);
          assert.equal(loss.get(name)?.value, reason === 'timeout' ? 1 : 0, `loss of ${name}`);
          assert.equal(availability.get(name)?.value, isDown ? 0 : 1, `availability of ${name}`);
        }
        assert.equal(reasons.get(NAMED)?.labels['reason'], 'resolution');
        assert.equal(p95.get('silent'), undefined);
        const slow = p95.get('slow')?.value ?? 0;
        assert.ok(slow > 0.25, `the slow one answers after 0.3 s, p95 is ${slow}`);
      },
    );
  },
);
