import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { MAIN, startExporter } from '../support/exporter.js';
import { freePort } from '../support/ports.js';
import { eventually, folder } from '../support/process.js';

/** An answer over a Unix domain socket. */
async function over(socketPath: string, path: string): Promise<string> {
  const request = get({ socketPath, path, agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return text(response);
}

describe('the exporter listens', () => {
  test('on several addresses at once, also on a Unix domain socket', async (t) => {
    const path = join(folder(t), 'web.sock');
    const exporter = await startExporter(t, {}, [`--web.listen-address=unix:${path}`]);
    assert.equal(await over(path, '/-/healthy'), 'Healthy\n');
    assert.equal(await exporter.get('/-/healthy'), 'Healthy\n');
    assert.ok(exporter.output().includes(`"url":"unix:${path}"`));
  });

  test('below a prefix, which the URLs of the page and of the metrics have', async (t) => {
    const exporter = await startExporter(
      t,
      {},
      ['--web.external-url=https://proxy.example/sip/', '--web.telemetry-path=/own'],
      { until: '/sip/-/ready' },
    );
    assert.match(await exporter.get('/sip/own'), /^sip_keepalive_exporter_build_info/m);
    assert.match(await exporter.get('/'), /<a href="own">/);
    assert.equal((await fetch(`${exporter.url}/metrics`)).status, 404);
    const stripped = await startExporter(t, {}, [
      '--web.external-url=https://proxy.example/sip',
      '--web.route-prefix=/',
    ]);
    assert.match(await stripped.get('/metrics'), /^sip_keepalive_exporter_build_info/m);
  });

  test('on the sockets that systemd passes', async (t) => {
    const server = createServer();
    server.listen(await freePort(), '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
    // The variable must have the PID of the exporter itself.
    const start = `Object.assign(process.env, { LISTEN_PID: String(process.pid), LISTEN_FDS: '1' }); process.argv.splice(1, 0, 'main'); import(${JSON.stringify(MAIN)})`;
    const args = ['-e', start, '--', '--web.systemd-socket'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'ignore', fd] });
    t.after(() => child.kill('SIGKILL'));
    server.close();
    const answer = await eventually('an answer', async () => {
      const response = await fetch(`http://127.0.0.1:${address.port}/-/healthy`).catch(
        () => undefined,
      );
      return response?.text();
    });
    assert.equal(answer, 'Healthy\n');
  });
});
