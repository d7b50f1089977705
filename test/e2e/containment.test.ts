import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CHAOS_FILE, VICTIM } from '../support/chaos.js';
import { type Exporter, startExporter, sum } from '../support/exporter.js';
import { type FarEnd, startFarEnd } from '../support/far-end.js';
import { eventually, folder } from '../support/process.js';

const CHAOS = new URL('../support/chaos.js', import.meta.url).href;
const OTHERS = 500;
/** Seconds; long enough for answers on a busy machine. */
const INTERVAL = 5;
/** Pings of the others to wait for at each seam. */
const MORE_PINGS = OTHERS / 2;

/** Called at the end of the suite. */
const ends: (() => unknown)[] = [];
const t = { after: (end: () => unknown) => void ends.unshift(end) };

describe('an internal error ends only its own operation, while 500 others are pinged', () => {
  let exporter: Exporter;
  let peer: FarEnd;
  let seamFile = '';
  let sourceFile = '';

  /** The exporter throws at this seam until the next call; empty for no seam. */
  const throwAt = (seam: string) => writeFileSync(seamFile, seam);

  before(async () => {
    const where = folder(t);
    seamFile = join(where, 'seam');
    sourceFile = join(where, 'targets.json');
    throwAt('');
    process.env[CHAOS_FILE] = seamFile;
    process.env['NODE_OPTIONS'] = `--import=${CHAOS}`;
    t.after(() => {
      delete process.env[CHAOS_FILE];
      delete process.env['NODE_OPTIONS'];
    });
    peer = await startFarEnd(t, 'udp', (_request, good) => [good]);
    const overTcp = await startFarEnd(t, 'tcp', (_request, good) => [good]);
    const overWs = await startFarEnd(t, 'ws', (_request, good) => [good]);
    const uri = (user: string, host = '127.0.0.1') => `sip:${user}@${host}:${peer.port}`;
    writeFileSync(sourceFile, JSON.stringify([{ targets: [uri('listed')] }]));
    const others = Array.from({ length: OTHERS }, (_, i) => ({
      ...{ name: `other${i}`, uri: uri(`other${i}`) },
    }));
    exporter = await startExporter(
      t,
      {
        ping_interval: INTERVAL,
        max_backoff: INTERVAL,
        dns: { min_ttl: '100ms', max_ttl: '200ms' },
        state_dir: join(where, 'state'),
        discovery: { file_sd: [{ files: [sourceFile], refresh_interval: '200ms' }] },
        webhooks: [{ name: 'hook', url: `http://127.0.0.1:${peer.port}/` }],
        destinations: [
          ...others,
          { name: VICTIM, uri: uri(VICTIM) },
          { name: 'tcp', uri: `sip:127.0.0.1:${overTcp.port};transport=tcp` },
          { name: 'ws', uri: `sip:127.0.0.1:${overWs.port};transport=ws` },
          { name: 'named', uri: uri('named', `${VICTIM}.localhost`) },
        ],
      },
      ['--web.enable-admin-api'],
    );
    await eventually('all are up', async () => (await upOthers()) === OTHERS, 60_000);
    await eventually('the victim is up', async () => (await exporter.isAlive(VICTIM)) === 1);
  });

  after(async () => {
    for (const end of ends) await end();
  });

  const upOthers = async () => {
    const text = await exporter.get('/metrics');
    return text
      .split('\n')
      .filter((line) => /^sip_keepalive_up\{destination="other.* 1$/.test(line)).length;
  };
  const ofOthers = (text: string, name: string) =>
    sum(
      text
        .split('\n')
        .filter((line) => line.includes('destination="other'))
        .join('\n'),
      name,
    ) ?? 0;
  const faults = (text: string) =>
    (sum(text, 'sip_keepalive_pinger_faults_total') ?? Number.NaN) +
    (sum(text, 'sip_keepalive_exporter_faults_total') ?? Number.NaN);

  /** Runs `provoke` with errors at the seam, and checks that the pings of others are not affected. */
  const withErrorsAt = async (seam: string, provoke: () => Promise<unknown>) => {
    const earlier = await exporter.get('/metrics');
    throwAt(seam);
    await provoke();
    const wanted = ofOthers(earlier, 'sip_keepalive_pings_total') + MORE_PINGS;
    await eventually(
      'others are still pinged',
      async () => ofOthers(await exporter.get('/metrics'), 'sip_keepalive_pings_total') >= wanted,
      60_000,
    );
    const later = await exporter.get('/metrics');
    throwAt('');
    const failed = (text: string) => ofOthers(text, 'sip_keepalive_ping_failures_total');
    assert.equal(failed(later), failed(earlier), 'no ping of others is lost');
    assert.equal(sum(later, 'sip_keepalive_pinger_restarts_total'), 0);
    assert.equal(await exporter.get('/-/ready'), 'Ready\n');
    return { earlier, later };
  };

  const faulted = async (earlier: string) =>
    eventually(
      'it is counted',
      async () => faults(await exporter.get('/metrics')) > faults(earlier),
    );

  for (const seam of [
    ...['flow prepare', 'flow send', 'receive', 'transaction', 'ledger', 'verdict'],
    ...['pinger timer', 'pinger promise', 'main timer', 'main promise'],
  ]) {
    test(`${seam}: the error is counted and logged with its stack, and the victim keeps its verdict`, async () => {
      const { earlier, later } = await withErrorsAt(seam, async () => {
        await faulted(await exporter.get('/metrics'));
      });
      assert.ok(faults(later) > faults(earlier));
      const isLogged = new RegExp(`"place":"[^"]+".*chaos at ${seam}\\\\n +at `);
      await eventually('it is logged', () => isLogged.test(exporter.output()));
      const reason = (await exporter.destination(VICTIM)).reason;
      assert.equal(reason, null, 'no verdict on the victim');
      await eventually('the victim is pinged again', async () => {
        return (await exporter.isAlive(VICTIM)) === 1;
      });
    });
  }

  test('connection: only the connection ends, and the verdict does not change', async () => {
    const failures = async (destination: string, reason?: string) => {
      const labels = { destination, ...(reason === undefined ? {} : { reason }) };
      return (await exporter.metric('sip_keepalive_ping_failures_total', labels)) ?? 0;
    };
    await withErrorsAt('connection', async () => {
      for (const name of ['tcp', 'ws']) {
        await eventually('its pings fail', async () => (await failures(name, 'local')) >= 1);
      }
    });
    for (const name of ['tcp', 'ws']) {
      assert.equal(await failures(name), await failures(name, 'local'), 'for no other reason');
      assert.equal(await exporter.isAlive(name), 1);
    }
  });

  test('resolver: the name keeps its addresses, and is looked up again', async () => {
    const local = { destination: 'named', reason: 'local' };
    const name = 'sip_keepalive_resolution_failures_total';
    await withErrorsAt('resolver', () =>
      eventually('it is counted', async () => ((await exporter.metric(name, local)) ?? 0) > 0),
    );
    assert.equal(await exporter.isAlive('named'), 1);
  });

  test('outbox: changes of other destinations are still reported', async () => {
    const silent = await startFarEnd(t, 'udp', () => []);
    throwAt('outbox');
    const added = await exporter.rpc('keepalive.add', {
      ...{ uri: `sip:x@127.0.0.1:${silent.port}`, owner: 'test', name: 'late' },
    });
    assert.equal(added.result, 1);
    await eventually('another is down', async () => (await exporter.isAlive('late')) === 2, 30_000);
    throwAt('');
    await exporter.rpc('keepalive.del', ['late', 'test']);
  });

  test('probe: it gets 503, and the next one succeeds', async () => {
    const target = `sip:probe@127.0.0.1:${peer.port}`;
    const path = `/probe?target=${encodeURIComponent(target)}`;
    await withErrorsAt('probe', async () => {
      const response = await fetch(`${exporter.url}${path}`);
      const text = await response.text();
      assert.equal(response.status, 503);
      assert.match(text, /the exporter cannot ping: internal error/);
    });
    assert.match(await exporter.get(path), /^probe_success 1$/m);
  });

  test('reload: it fails with 500, and the next one succeeds', async () => {
    await withErrorsAt('reload', async () => {
      const response = await exporter.post('/-/reload', '');
      assert.equal(response.status, 500);
    });
    assert.equal((await exporter.post('/-/reload', '')).status, 200);
    assert.equal(await upOthers(), OTHERS);
  });

  test('source: its previous destinations are kept, and it is read again', async () => {
    await withErrorsAt('source', async () => {
      const uri = `sip:listed@127.0.0.1:${peer.port}`;
      writeFileSync(sourceFile, JSON.stringify([{ targets: [uri, `${uri};x=y`] }]));
      await eventually('it has failed', async () => {
        return (await exporter.metric('sip_keepalive_discovery_up')) === 0;
      });
    });
    await eventually('it is read again', async () => {
      return (await exporter.metric('sip_keepalive_discovery_destinations')) === 2;
    });
    assert.equal(await exporter.metric('sip_keepalive_discovery_up'), 1);
  });

  test('webhook and SSE: the change is still logged', async () => {
    for (const seam of ['webhook', 'SSE']) {
      const aborting = new AbortController();
      const stream = await fetch(`${exporter.url}/api/v1/events`, { signal: aborting.signal });
      await withErrorsAt(seam, async () => {
        const name = `changing-${seam}`;
        await exporter.rpc('keepalive.add', {
          ...{ uri: `sip:${seam}@127.0.0.1:${peer.port}`, owner: 'test', name },
        });
        await eventually('it is up', async () => (await exporter.isAlive(name)) === 1);
        const isUp = new RegExp(`"destination":"${name}".*destination is up`);
        await eventually('the log has it', () => isUp.test(exporter.output()));
      });
      aborting.abort();
      await stream.body?.cancel().catch(() => {});
    }
  });

  test('page: it gets 500, and the next request succeeds', async () => {
    await withErrorsAt('page', async () => {
      assert.equal((await fetch(`${exporter.url}/`)).status, 500);
    });
    assert.equal((await fetch(`${exporter.url}/`)).status, 200);
  });

  test('journal: the addition is refused, and the next one succeeds', async () => {
    const params = { uri: `sip:kept@127.0.0.1:${peer.port}`, owner: 'test', name: 'kept' };
    await withErrorsAt('journal', async () => {
      const { result, error } = await exporter.rpc('keepalive.add', params);
      assert.equal(result, undefined);
      assert.ok(error !== undefined);
    });
    assert.equal((await exporter.rpc('keepalive.add', params)).result, 1);
    await eventually('it is up', async () => (await exporter.isAlive('kept')) === 1);
  });
});
