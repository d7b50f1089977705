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

const cases = readCorpus('sip');
const answers = cases.filter((one) => isAnswer(bytesOf(one)));
const strays = cases.filter((one) => !isAnswer(bytesOf(one)));
const WIRES = ['udp', 'tcp'] as const;
/** How long silence has to last before it is believed. */
const SILENCE_MS = 2000;

const verdictOn = (transport: (typeof WIRES)[number], { verdict }: Case) =>
  verdict[transport === 'udp' ? 0 : 1] ?? '';

/** How a ping ended, in the words of the verdicts. */
async function endOf(exporter: Exporter, name: string): Promise<string> {
  const { targets } = await exporter.destination(name);
  const [target] = targets;
  if (target?.reason === 'malformed') return 'malformed';
  if (target?.reason === 'timeout') return 'timeout';
  return target?.sip_code === null || target?.sip_code === undefined
    ? 'none'
    : `answer ${target.sip_code}`;
}

/** A provisional answer, a stray and silence leave the ping to its timeout. */
function endWanted(verdict: string): string {
  return /^answer 1|^stray|^silence/.test(verdict) ? 'timeout' : verdict;
}

/** A peer for each answer, over each wire. */
async function startPeers(t: TestContext) {
  const pairs = WIRES.flatMap((transport) => answers.map((one) => ({ one, transport })));
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

test('answers of every kind: each ping ends as the verdict says, and those beside lose none', async (t) => {
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

test('strays of every kind: each datagram is answered as the verdict says, or dropped', async (t) => {
  const live = await startLivePeer(t);
  const sourcePort = await freePort();
  const exporter = await startExporter(t, {
    ...{ source_address: '127.0.0.1', source_port: sourcePort },
    destinations: [live.destination],
  });
  await eventually('the healthy peer is up', async () => (await exporter.isAlive('live')) === 1);
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
});

/** What came back from a peer that answers a ping and then sends something of its own. */
function reactionOf({ callers: [caller] }: FarEnd): string {
  if (caller?.isClosed) return 'closed';
  return codesOf((caller?.replies ?? []).filter((reply) => reply.startsWith('SIP/2.0 ')));
}

test('strays of every kind: each is answered on its connection as the verdict says, or ends it', async (t) => {
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
