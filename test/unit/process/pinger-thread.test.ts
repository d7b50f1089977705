import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { readFlags } from '../../../src/config/flags.js';
import { load } from '../../../src/config/load.js';
import { createLedger } from '../../../src/shared/ledger/layout.js';
import { LedgerReader } from '../../../src/shared/ledger/reader.js';
import type { FromPinger, UdpIoChoice } from '../../../src/shared/protocol.js';
import { type PingerThread, spawnPinger } from '../../../src/supervisor/pinger-thread.js';
import { startFarEnd } from '../../support/far-end.js';
import { settings } from '../../support/settings.js';

type OfType<Type extends FromPinger['type']> = Extract<FromPinger, { type: Type }>;

/** A pinger thread, and its messages. */
function start(t: TestContext, udpIo: UdpIoChoice) {
  const flags = readFlags(['--dns.hosts_file=']);
  const { dns } = load({ flags, env: {}, version: '1.2.3' }).config;
  const ledger = createLedger();
  const thread = spawnPinger({ ledger, dns, udpIo, previousTargets: [] }) as PingerThread &
    NodeJS.EventEmitter;
  const messages: FromPinger[] = [];
  const waiting = new Set<() => void>();
  thread.on('message', (message) => {
    messages.push(message);
    for (const check of waiting) check();
  });
  const exited = once(thread, 'exit');
  t.after(() => thread.terminate());
  const next = <Type extends FromPinger['type']>(type: Type) =>
    new Promise<OfType<Type>>((resolve) => {
      const check = () => {
        const found = messages.find((message): message is OfType<Type> => message.type === type);
        if (found === undefined) return;
        waiting.delete(check);
        resolve(found);
      };
      waiting.add(check);
      check();
    });
  return { thread, ledger, messages, exited, next };
}

for (const transport of ['udp', 'tcp'] as const) {
  test(`the pinger thread becomes ready, pings over ${transport}, and exits after the stop message`, async (t) => {
    const farEnd = await startFarEnd(t, transport, (_request, good) => [good]);
    const { thread, exited, next } = start(t, 'auto');
    await next('ready');
    const probed = settings({ timeoutMs: 10_000 });
    thread.postMessage({ type: 'probe_settings', number: 0, settings: probed });
    thread.postMessage({
      type: 'probe',
      probes: [
        {
          ...{ id: 7, timeoutMs: 20_000, allow: [], settings: 0 },
          uri: `sip:127.0.0.1:${farEnd.port};transport=${transport}`,
        },
      ],
    });
    const [{ id, report } = assert.fail('no result')] = (await next('probed')).results;
    assert.equal(id, 7);
    assert.equal(report?.isAlive, true);
    thread.postMessage({ type: 'stop' });
    assert.deepEqual(await exited, [0]);
  });
}

test('with udp.io dgram the pinger thread uses the UDP sockets of Node.js, and logs it', async (t) => {
  const { thread, ledger, messages, exited, next } = start(t, 'dgram');
  await next('ready');
  const ios = messages.flatMap((message) =>
    message.type === 'log' && message.event === 'udp_io' ? [message.fields['io']] : [],
  );
  assert.deepEqual(ios, ['dgram']);
  assert.equal(new LedgerReader(ledger).pinger().udpIo, 'dgram');
  thread.postMessage({ type: 'stop' });
  assert.deepEqual(await exited, [0]);
});
