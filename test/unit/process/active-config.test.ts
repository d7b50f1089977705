import assert from 'node:assert/strict';
import { rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { ActiveConfig } from '../../../src/active-config.js';
import { readFlags } from '../../../src/config/flags.js';
import { load } from '../../../src/config/load.js';
import { CAN_SET_DSCP } from '../../../src/shared/dscp.js';
import { Faults } from '../../../src/shared/faults.js';
import type { LogLine } from '../../../src/shared/protocol.js';
import { FakeClock } from '../../support/fake-clock.js';
import { folder } from '../../support/process.js';

/** A configuration file, and parts that record what is done to them. */
function rig(t: TestContext, text: string, flags: readonly string[] = []) {
  const clock = new FakeClock(0, Date.now());
  const path = join(folder(t), 'config.yml');
  const write = (content: string) => {
    writeFileSync(path, content);
    utimesSync(path, clock.epoch() / 1000, clock.epoch() / 1000);
  };
  write(text);
  const sources = {
    flags: readFlags([`--config.file=${path}`, '--dns.hosts_file=', ...flags]),
    ...{ env: {}, version: '1' },
  };
  const logged: LogLine[] = [];
  const steps: string[] = [];
  const levels: string[] = [];
  const state = { size: 1, isBroken: false, discovery: async () => {} };
  const log = {
    write: (line: LogLine) => void logged.push(line),
    writeAlways: () => assert.fail(),
    setLevel: (level: string) => void levels.push(level),
  };
  const faults = new Faults({ now: () => clock.now(), log: log.write });
  const active = new ActiveConfig({
    ...{ sources, loaded: load(sources), clock, log, faults },
    parts: () => ({
      supervisor: {
        sendFiles: () => void steps.push('files'),
        sendSettings: () => void steps.push('settings'),
      },
      registry: state,
      reconciler: {
        use: async () => {
          if (state.isBroken) throw new Error('a bug');
          steps.push('use');
        },
        dropStaleSources: async () => void steps.push('drop'),
      },
      discovery: {
        set: async () => {
          steps.push('discover');
          await state.discovery();
        },
      },
      kamailios: { use: () => void steps.push('kamailios') },
      runtimeDestinations: { use: () => void steps.push('run time') },
      webhooks: { configure: () => void steps.push('webhooks') },
    }),
  });
  t.after(() => active.close());
  const reload = async () => {
    const reloaded = active.reload();
    await clock.advanceSettling(60_000);
    return reloaded;
  };
  const events = () => logged.map(({ event }) => event);
  const take = () => steps.splice(0);
  return { active, clock, write, path, logged, levels, state, events, reload, take, faults };
}

const ONE = 'destinations: [192.0.2.1]\n';

describe('the first configuration', () => {
  test('is applied in order: destinations, then sources, then the removal of stale ones', async (t) => {
    const { active, take, events, logged } = rig(t, ONE);
    await active.start();
    assert.deepEqual(take(), ['webhooks', 'kamailios', 'use', 'discover', 'drop']);
    assert.deepEqual(events(), ['config_applied']);
    assert.deepEqual(logged[0]?.fields, { destinations: 1 });
    assert.equal(active.isLastReloadSuccessful, true);
  });

  test('without destinations logs a warning', async (t) => {
    const { active, state, events } = rig(t, '');
    state.size = 0;
    await active.start();
    assert.deepEqual(events(), ['destinations_missing']);
  });

  test('that sets dscp for TCP logs a warning if Node.js cannot set it; for UDP it does not', async (t) => {
    for (const [transport, count] of [
      ['tcp', CAN_SET_DSCP ? undefined : 1],
      ['udp', undefined],
    ] as const) {
      const { active, logged } = rig(t, `${ONE}dscp: 46\ntransport: ${transport}\n`);
      await active.start();
      const line = logged.find(({ event }) => event === 'dscp_unsupported');
      assert.equal(line?.fields?.['destinations'], count, transport);
    }
  });

  test('is not reported when the process stops meanwhile', async (t) => {
    const { active, events, state, take } = rig(t, ONE);
    state.discovery = async () => active.close();
    await active.start();
    assert.deepEqual([events(), take()], [[], ['webhooks', 'kamailios', 'use', 'discover']]);
  });
});

describe('a reload', () => {
  test('applies the new file, the files that it names, and the destinations of run time', async (t) => {
    const { active, write, reload, take, events, clock, levels } = rig(t, ONE);
    await active.start();
    take();
    clock.advance(10_000);
    write(`${ONE}log: { level: debug }\n`);
    assert.equal(await reload(), undefined);
    assert.deepEqual(take(), [
      ...['files', 'settings', 'webhooks', 'kamailios', 'use', 'run time', 'discover', 'drop'],
    ]);
    assert.deepEqual(events(), ['config_applied', 'config_reloaded']);
    assert.deepEqual(levels, ['info', 'debug']);
    assert.equal(active.config.logLevel, 'debug');
    assert.equal(active.loadedAtMs, clock.epoch() - 60_000);
  });

  test('with an invalid file changes nothing, and answers with its errors', async (t) => {
    const { active, write, reload, take, events } = rig(t, ONE);
    await active.start();
    take();
    write('nonsense: 1\n');
    assert.match(String(await reload()), /nonsense: unknown setting/);
    assert.deepEqual([take(), events().at(-1)], [[], 'config_invalid']);
    assert.equal(active.isLastReloadSuccessful, false);
    assert.equal(active.config.destinations.length, 1);
    write(ONE);
    assert.equal(await reload(), undefined);
    assert.equal(active.isLastReloadSuccessful, true);
  });

  test('names each changed setting that takes effect only at the start, and keeps it', async (t) => {
    const { active, write, reload, logged } = rig(t, ONE);
    await active.start();
    write(
      'web: { listen-address: "127.0.0.1:1", config: { file: x.yml } }\nlog: { format: json }\nstate_dir: /x\ndns: { timeout: 7s }\n',
    );
    assert.equal(await reload(), undefined);
    const ignored = logged.filter(({ event }) => event === 'setting_needs_restart');
    assert.deepEqual(
      ignored.map(({ fields }) => fields['setting']),
      ['web.listen-address', 'web.config.file', 'log.format', 'state_dir', 'dns'],
    );
    const { stateDir, logFormat, dns } = active.config;
    assert.deepEqual([stateDir, logFormat, dns.timeoutMs], ['', 'logfmt', 2_000]);
  });

  test('that fails because of a bug says that the configuration is only partly in effect', async (t) => {
    const { active, reload, state, events } = rig(t, ONE);
    await active.start();
    state.isBroken = true;
    assert.equal(await reload(), 'internal error: a bug');
    assert.equal(events().at(-1), 'config_apply_failed');
    assert.equal(active.isLastReloadSuccessful, false);
  });

  test('that fails long after its caller was answered is logged and shown as failed', async (t) => {
    const { active, reload, state, events } = rig(t, ONE);
    await active.start();
    let fail = (_error: Error) => {};
    state.discovery = () => new Promise((_resolve, reject) => (fail = reject));
    assert.equal(await reload(), undefined);
    assert.equal(active.isLastReloadSuccessful, true);
    fail(new Error('a bug'));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(events().at(-1), 'config_apply_failed');
    assert.equal(active.isLastReloadSuccessful, false);
  });

  test('that fails after a later one has succeeded is logged, and the later one stays a success', async (t) => {
    const { active, reload, state, events } = rig(t, ONE);
    await active.start();
    let fail = (_error: Error) => {};
    state.discovery = () => new Promise((_resolve, reject) => (fail = reject));
    await reload();
    state.discovery = async () => {};
    assert.equal(await reload(), undefined);
    fail(new Error('a bug'));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(events().at(-1), 'config_apply_failed');
    assert.equal(active.isLastReloadSuccessful, true);
  });

  test('leaves stale sources to a later reload that did not wait for it', async (t) => {
    const { active, reload, state, take } = rig(t, ONE);
    await active.start();
    take();
    let end = () => {};
    state.discovery = () => new Promise((resolve) => (end = resolve));
    await reload();
    state.discovery = async () => {};
    await reload();
    assert.equal(take().filter((step) => step === 'drop').length, 1);
    end();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(take(), []);
  });

  test('starts by itself at the configured interval when the file has changed', async (t) => {
    const text = `config: { auto-reload-interval: 2s }\n${ONE}`;
    const { active, write, clock, events } = rig(t, text);
    await active.start();
    await clock.advanceSettling(60_000);
    assert.deepEqual(events(), ['config_applied']);
    write(`${text}fall: 3\n`);
    await clock.advanceSettling(60_000);
    assert.deepEqual(events(), ['config_applied', 'config_reloaded']);
  });
});

describe('a file that the configuration names', () => {
  const named = (password: string) =>
    `auth: { username: u, password_file: ${password} }\ndestinations: [192.0.2.1]\n`;

  test('is sent to the pinger when it has changed, and kept while it is invalid', async (t) => {
    const password = join(folder(t), 'password');
    writeFileSync(password, 'one');
    const { active, clock, take, events } = rig(t, named(password));
    await active.start();
    take();
    writeFileSync(password, 'another');
    await clock.advanceSettling(5_000);
    assert.deepEqual([take(), events().at(-1)], [['files'], 'file_changed']);
    assert.equal(active.files.get(password), 'another');
    writeFileSync(password, '');
    await clock.advanceSettling(5_000);
    assert.deepEqual([take(), events().at(-1)], [[], 'file_invalid']);
    rmSync(password);
    await clock.advanceSettling(5_000);
    assert.equal(active.files.get(password), 'another');
  });
});

describe('a reload that changes the buckets of histograms', () => {
  test('says which of them start again, and only then', async (t) => {
    const { active, write, clock, reload, logged } = rig(t, ONE);
    await active.start();
    const restarted = () =>
      logged.filter(({ event }) => event === 'histograms_restarted').map(({ fields }) => fields);
    clock.advance(1_000);
    write(`${ONE}metrics: {rtt_buckets: [0.01, 0.1], exemplars: false}\n`);
    assert.equal(await reload(), undefined);
    assert.deepEqual(restarted(), [{ metrics: 'sip_keepalive_rtt_seconds' }]);
    await reload();
    assert.equal(restarted().length, 1);
    write(`${ONE}metrics: {connect_buckets: [1]}\n`);
    await reload();
    assert.deepEqual(restarted().at(-1), {
      metrics: 'sip_keepalive_rtt_seconds sip_keepalive_connect_seconds',
    });
  });
});
