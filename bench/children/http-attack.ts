/**
 * Clients of the exporter's HTTP server that mean harm, from the start.
 *
 * usage: http-attack listen | password | idle | reload URL COUNT
 *
 * listen: so many listeners of /api/v1/events, which come back half a second after they are cut.
 * password: so many connections, each of which tries one wrong password of `bench` after the other.
 * idle: so many connections that send nothing; one that is closed is opened again after a second.
 * reload: so many clients that POST /-/reload, again as soon as they have the answer.
 *
 * Each line of input is answered by how many events, answers, connections or reloads there were.
 */

import { once } from 'node:events';
import { Agent, get, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerLines } from './lines.js';

const BACK_AFTER_MS = 500;
const IDLE_AGAIN_AFTER_MS = 1_000;
/** After a connection that failed. */
const AGAIN_AFTER_MS = 100;

const [kind = '', url = '', count = ''] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: Number(count) });
let done = 0;

const ATTACKS: Readonly<Record<string, () => Promise<void>>> = {
  listen,
  password: guess,
  idle,
  reload,
};
for (let i = 0; i < Number(count); i++) void repeat(ATTACKS[kind] ?? idle);
console.log('ready');
answerLines(() => String(done));

/** A refused connection is only a reason to come again. */
async function repeat(attack: () => Promise<void>): Promise<never> {
  while (true) await attack().catch(() => sleep(AGAIN_AFTER_MS));
}

async function listen(): Promise<void> {
  const [response]: IncomingMessage[] = await once(
    get(`${url}/api/v1/events`, { agent: false }),
    'response',
  );
  try {
    for await (const chunk of response ?? []) done += events(chunk);
  } catch {
    // Cut off in the middle of an event.
  }
  await sleep(BACK_AFTER_MS);
}

/** Events that end in this piece; one whose end is parted between two pieces is not seen. */
function events(chunk: Buffer): number {
  let found = 0;
  for (let at = chunk.indexOf('\n\n'); at >= 0; at = chunk.indexOf('\n\n', at + 2)) found++;
  return found;
}

async function guess(): Promise<void> {
  const guessed = Buffer.from(`bench:${Math.random()}`).toString('base64');
  await answered(get(`${url}/metrics`, { agent, headers: { authorization: `Basic ${guessed}` } }));
}

async function idle(): Promise<void> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'connect');
  done++;
  socket.resume();
  await once(socket, 'close');
  await sleep(IDLE_AGAIN_AFTER_MS);
}

async function reload(): Promise<void> {
  const asked = request(`${url}/-/reload`, { method: 'POST', agent });
  asked.end();
  await answered(asked);
}

async function answered(asked: ReturnType<typeof request>): Promise<void> {
  const [response]: IncomingMessage[] = await once(asked, 'response');
  for await (const _ of response ?? []);
  done++;
}
