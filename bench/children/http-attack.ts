/**
 * Attacking clients of the exporter's HTTP server, from the start.
 *
 * usage: http-attack listen | password | idle | reload URL COUNT
 *
 * listen: COUNT listeners of /api/v1/events, which reconnect after half a second.
 * password: COUNT connections, each trying one wrong password of `bench` after the other.
 * idle: COUNT connections that send nothing; a closed one is reopened after a second.
 * reload: COUNT clients that POST /-/reload again and again.
 *
 * Prints for each line of input the number of events, responses, connections or reloads.
 */

import { once } from 'node:events';
import { Agent, get, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerLines } from './lines.js';

const BACK_AFTER_MS = 500;
const IDLE_AGAIN_AFTER_MS = 1_000;
/** Delay after a failed connection. */
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

/** Tries again after a refused connection. */
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
    // Aborted within an event.
  }
  await sleep(BACK_AFTER_MS);
}

/** Events that end in this chunk; one whose end is split between two chunks is missed. */
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
  const sent = request(`${url}/-/reload`, { method: 'POST', agent });
  sent.end();
  await answered(sent);
}

async function answered(sent: ReturnType<typeof request>): Promise<void> {
  const [response]: IncomingMessage[] = await once(sent, 'response');
  for await (const _ of response ?? []);
  done++;
}
