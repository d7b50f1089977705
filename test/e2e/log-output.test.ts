import assert from 'node:assert/strict';
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MAIN, sum } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { freePort } from '../support/ports.js';
import { eventually, folder } from '../support/process.js';

const DROPPED = 'sip_keepalive_exporter_log_lines_dropped_total';

/** Starts the exporter with this as its standard error, and waits until it pings. */
async function start(t: TestContext, stderr: 'pipe' | number) {
  const peer = await startFarEnd(t, 'udp', (_request, good) => [good]);
  const file = join(folder(t), 'config.json');
  const config = { ping_interval: 0.2, destinations: [`127.0.0.1:${peer.port}`] };
  writeFileSync(file, JSON.stringify(config));
  const port = await freePort();
  const args = [
    ...[`--config.file=${file}`, `--web.listen-address=127.0.0.1:${port}`],
    '--web.enable-lifecycle',
  ];
  const stdio: StdioOptions = ['ignore', 'ignore', stderr];
  const child = spawn(process.execPath, [MAIN, '--dns.hosts_file=', ...args], { stdio });
  t.after(() => child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  const metric = async (name: string) => sum(await (await fetch(`${url}/metrics`)).text(), name);
  const pings = async () => (await metric('sip_keepalive_pings_total')) ?? 0;
  await eventually('it pings', async () => (await pings()) > 1);
  const reload = async () => void (await fetch(`${url}/-/reload`, { method: 'POST' }));
  const pingsGoOn = async () => {
    const before = await pings();
    await eventually('pings go on', async () => (await pings()) > before + 3);
  };
  return { child, file, metric, reload, pingsGoOn };
}

async function end(child: ChildProcess): Promise<number | null> {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
  return child.exitCode;
}

test('when the reader of the log exits, pings continue, and the lost lines are counted', async (t) => {
  const { child, metric, reload, pingsGoOn } = await start(t, 'pipe');
  child.stderr?.destroy();
  for (let i = 0; i < 3; i++) await reload();
  await eventually('lines are counted', async () => ((await metric(DROPPED)) ?? 0) > 0);
  await pingsGoOn();
  assert.equal(await end(child), 0);
});

test('when the disk of the log is full, pings continue, and the lost lines are counted', async (t) => {
  const { child, metric, pingsGoOn } = await start(t, openSync('/dev/full', 'w'));
  assert.ok(((await metric(DROPPED)) ?? 0) > 0);
  await pingsGoOn();
  assert.equal(await end(child), 0);
});

test('when the log is not read, pings and HTTP continue, its buffer is limited, and the process can stop', async (t) => {
  const { child, file, metric, reload, pingsGoOn } = await start(t, 'pipe');
  // Each unknown setting is a problem, and the problems are in one log line: a fifth of what is buffered.
  const wrong = Array.from({ length: 200 }, (_, i) => [`${i}${'x'.repeat(2_000)}`, 1] as const);
  writeFileSync(file, JSON.stringify(Object.fromEntries(wrong)));
  await eventually('lines are counted', async () => {
    await reload();
    return ((await metric(DROPPED)) ?? 0) > 0;
  });
  await pingsGoOn();
  assert.equal(await end(child), 0);
});

for (const [what, args, code, wanted] of [
  ['an unknown flag', ['--nonsense'], 2, /nonsense.*--help lists all flags/],
  ['a port in use', ['--destination=127.0.0.1:9'], 1, /EADDRINUSE/],
] as const) {
  test(`${what} is the last log line, and the exit code is ${code} even if nothing can be written`, async (t) => {
    const taken = await start(t, 'pipe');
    const port = new URL(`http://${/127.0.0.1:\d+/.exec(taken.child.spawnargs.join(' '))?.[0]}`)
      .port;
    const all = [
      ...[MAIN, `--web.listen-address=127.0.0.1:${port}`, '--web.enable-lifecycle'],
      ...['--dns.hosts_file=', ...args],
    ];
    const child = spawn(process.execPath, all, { stdio: ['ignore', 'ignore', 'pipe'] });
    let output = '';
    child.stderr.on('data', (data) => {
      output += data;
    });
    await once(child, 'close');
    assert.equal(child.exitCode, code);
    assert.match(output, wanted);
    const stdio: StdioOptions = ['ignore', 'ignore', openSync('/dev/full', 'w')];
    const full = spawn(process.execPath, all, { stdio });
    await once(full, 'exit');
    assert.equal(full.exitCode, code);
  });
}

test('--help and --version are written completely, or else the exit code is 1', async () => {
  for (const [flag, wanted] of [
    ['--version', /^sip-keepalive-exporter \d/],
    ['--help', /Print this help and exit\. Short: -h\.\n$/],
  ] as const) {
    const child = spawn(process.execPath, [MAIN, flag], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    await once(child, 'close');
    assert.equal(child.exitCode, 0);
    assert.match(output, wanted);
    const stdio: StdioOptions = ['ignore', openSync('/dev/full', 'w'), 'inherit'];
    const full = spawn(process.execPath, [MAIN, flag], { stdio });
    await once(full, 'exit');
    assert.equal(full.exitCode, 1);
  }
});
