import assert from 'node:assert/strict';
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildOptionsResponse } from '../../src/pinger/sip/uas.js';
import type { UdpIo } from '../../src/shared/ledger/layout.js';
import { startExporter, sum } from '../support/exporter.js';
import { eventually } from '../support/process.js';
import { EACH_UDP_IO } from '../support/udp-io.js';

const ANSWERS_AFTER_MS = 800;
const TIMEOUT = 4;
/** Long enough to cause a false latency and a false timeout. */
const PAUSES_MS = [6_000, 700];

describe('a process that was stopped', { concurrency: true }, () => {
  for (const [io, options] of EACH_UDP_IO) {
    test(`reports no false latency, verdict or timeout (${io})`, options, (t) => testPauses(t, io));
  }
});

async function testPauses(t: TestContext, io: UdpIo): Promise<void> {
  const far = dgram.createSocket('udp4');
  far.bind(0, '127.0.0.1');
  await once(far, 'listening');
  let isOpen = true;
  t.after(() => {
    isOpen = false;
    far.close();
  });
  far.on('message', (request, from) => {
    const answer = buildOptionsResponse(request, from, 'far') ?? '';
    const isLate = request.toString().startsWith('OPTIONS sip:late');
    const send = () => isOpen && far.send(answer, from.port, from.address);
    setTimeout(send, isLate ? TIMEOUT * 1000 + 1_500 : ANSWERS_AFTER_MS).unref();
  });
  // Many targets at one address: an answer may arrive through the socket of another target.
  const { port } = far.address();
  const names = Array.from({ length: 30 }, (_, i) => [`good${i}`, `late${i}`]).flat();
  const destinations = names.map((name) => ({ name, uri: `sip:${name}@127.0.0.1:${port}` }));
  const settings = { ping_interval: 6, ping_timeout: TIMEOUT };
  const exporter = await startExporter(t, { ...settings, destinations }, [`--udp.io=${io}`]);
  const ups = () => exporter.metric('sip_keepalive_up');
  await eventually('every verdict', async () => {
    const text = await exporter.get('/metrics');
    return text.split('\nsip_keepalive_up{').length - 1 === names.length;
  });
  assert.equal(await ups(), names.length / 2);

  const metric = async (name: string) => (await exporter.metric(`sip_keepalive_${name}`)) ?? 0;
  for (const pauseMs of PAUSES_MS) {
    const stalls = await metric('pinger_stalls_total');
    exporter.child.kill('SIGSTOP');
    await sleep(pauseMs);
    exporter.child.kill('SIGCONT');
    await eventually('it is noticed', async () => (await metric('pinger_stalls_total')) > stalls);
    const pings = await metric('pings_total');
    await eventually(
      'pings',
      async () => (await metric('pings_total')) >= pings + 2 * names.length,
    );
  }

  const text = await exporter.get('/metrics');
  const within = sum(text, 'sip_keepalive_rtt_seconds_bucket', { le: '5.0' });
  assert.equal(sum(text, 'sip_keepalive_rtt_seconds_count'), within, 'no false latency');
  assert.equal(sum(text, 'sip_keepalive_state_changes_total'), 0, 'no false verdict');
  const falseTimeouts = text
    .split('\n')
    .filter(
      (line) => /ping_failures_total.*"good.*reason="timeout"/.test(line) && !line.endsWith(' 0'),
    );
  assert.deepEqual(falseTimeouts, []);
}
