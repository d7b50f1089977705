import assert from 'node:assert/strict';
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytesOf, type Case, readCorpus } from '../support/corpus.js';
import { asAnswerTo, asFrom, isAnswer } from '../support/corpus-sip.js';
import { type Exporter, startExporter } from '../support/exporter.js';
import { type FarEnd, raw, startFarEnd } from '../support/far-end.js';
import { startLivePeer } from '../support/live-peer.js';
import { freePort } from '../support/ports.js';
import { eventually } from '../support/process.js';
import { EACH_UDP_IO } from '../support/udp-io.js';

const cases = readCorpus('sip');
const answers = cases.filter((one) => isAnswer(bytesOf(one)));
const strays = cases.filter((one) => !isAnswer(bytesOf(one)));
const TRANSPORTS = ['udp', 'tcp'] as const;
/** Time without a message after which none is expected. */
const SILENCE_MS = 2000;

const verdictOn = (transport: (typeof TRANSPORTS)[number], { verdict }: Case) =>
  verdict[transport === 'udp' ? 0 : 1] ?? '';

/** How a ping ended, in the words of verdicts.txt. */
async function endOf(exporter: Exporter, name: string): Promise<string> {
  const { targets } = await exporter.destination(name);
  const [target] = targets;
  if (target?.reason === 'malformed') return 'malformed';
  if (target?.reason === 'timeout') return 'timeout';
  if (target?.reason === 'draining') return `${target.detail}`.replace('answered with', 'answer');
  return target?.sip_code === null || target?.sip_code === undefined
    ? 'none'
    : `answer ${target.sip_code}`;
}

/** After a provisional answer, a stray or silence, the ping times out. */
function endWanted(verdict: string): string {
  return /^answer 1|^stray|^silence/.test(verdict) ? 'timeout' : verdict;
}

/** A peer for each answer, over each transport. */
async function startPeers(t: TestContext) {
  const pairs = TRANSPORTS.flatMap((transport) => answers.map((one) => ({ one, transport })));
  return Promise.all(
    pairs.map(async ({ one, transport }) => {
      const bytes = bytesOf(one);
      const farEnd = await startFarEnd(t, transport, (request) => [asAnswerTo(request, bytes)]);
      const uri = `sip:127.0.0.1:${farEnd.port};transport=${transport}`;
      return {
        name: `${transport} ${one.file}`,
        uri,
        wanted: endWanted(verdictOn(transport, one)),
      };
    }),
  );
}

test('each answer of the corpus ends its ping as in verdicts.txt, and no other ping is lost', async (t) => {
  const live = await startLivePeer(t);
  const peers = await startPeers(t);
  const destinations = peers.map(({ name, uri }) => ({ name, uri }));
  const exporter = await startExporter(t, {
    ...{ ping_interval: 30, ping_timeout: 4 },
    destinations: [live.destination, ...destinations],
  });
  for (const { name, wanted } of peers) {
    const end = () => endOf(exporter, name);
    await eventually(`${name} has ended`, async () => (await end()) !== 'none', 60_000);
    assert.equal(await end(), wanted, name);
  }
  await live.holds(exporter);
});

const codesOf = (messages: readonly string[]) =>
  messages.map((text) => `answered ${text.slice(8, 11)}`).join(' + ') || 'silence';

for (const [io, options] of EACH_UDP_IO) {
  test(
    `each other datagram of the corpus is answered or dropped as in verdicts.txt (${io})`,
    options,
    async (t) => {
      const live = await startLivePeer(t);
      const sourcePort = await freePort();
      const settings = { source_address: '127.0.0.1', source_port: sourcePort };
      const config = { ...settings, destinations: [live.destination] };
      const exporter = await startExporter(t, config, [`--udp.io=${io}`]);
      await eventually(
        'the healthy peer is up',
        async () => (await exporter.isAlive('live')) === 1,
      );
      const senders = await Promise.all(
        strays.map(async (one) => {
          const socket = dgram.createSocket('udp4');
          t.after(() => socket.close());
          socket.bind(0, '127.0.0.1');
          await once(socket, 'listening');
          const replies: string[] = [];
          socket.on('message', (message) => replies.push(message.toString('latin1')));
          const bytes = asFrom(`127.0.0.1:${socket.address().port}`, bytesOf(one));
          return { one, replies, send: () => socket.send(bytes, sourcePort, '127.0.0.1') };
        }),
      );
      for (const { send } of senders) send();
      for (const { one, replies } of senders) {
        const wanted = verdictOn('udp', one);
        if (wanted !== 'silence') await eventually(one.file, () => codesOf(replies) === wanted);
      }
      await sleep(SILENCE_MS);
      for (const { one, replies } of senders) {
        assert.equal(codesOf(replies), verdictOn('udp', one), one.file);
      }
      await live.holds(exporter);
    },
  );
}

/** The reaction to the message that a peer sends after its answer. */
function reactionOf({ callers: [caller] }: FarEnd): string {
  if (caller?.isClosed) return 'closed';
  return codesOf((caller?.replies ?? []).filter((reply) => reply.startsWith('SIP/2.0 ')));
}

test('each other message of the corpus is answered on its connection, or ends it, as in verdicts.txt', async (t) => {
  const live = await startLivePeer(t);
  const peers = await Promise.all(
    strays.map(async (one) => {
      const bytes = asFrom('127.0.0.1:9', bytesOf(one));
      const farEnd = await startFarEnd(t, 'tcp', (_request, good) => [good, raw(bytes)]);
      const uri = `sip:127.0.0.1:${farEnd.port};transport=tcp`;
      return { one, farEnd, destination: { name: one.file, uri } };
    }),
  );
  const exporter = await startExporter(t, {
    ping_interval: 60,
    destinations: [live.destination, ...peers.map(({ destination }) => destination)],
  });
  for (const { one, farEnd } of peers) {
    await eventually(`${one.file} is up`, async () => (await exporter.isAlive(one.file)) === 1);
    const wanted = verdictOn('tcp', one);
    if (wanted !== 'silence') await eventually(one.file, () => reactionOf(farEnd) === wanted);
  }
  await sleep(SILENCE_MS);
  for (const { one, farEnd } of peers) {
    assert.equal(reactionOf(farEnd), verdictOn('tcp', one), one.file);
  }
  await live.holds(exporter);
});
