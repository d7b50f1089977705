/** The exporter's kernel sockets alone: what remains if SIP, verdicts and records cost nothing. */

import { fileURLToPath } from 'node:url';
import { NEAR_CORE, pinned } from '../machine.js';
import { type Contender, costOf } from './contender.js';

const SCRIPT = fileURLToPath(new URL('../children/bare-udp.js', import.meta.url));
/** Datagrams per tick, and the limits of a tick, as the scheduler has them. */
const BATCH = 100;
const MAX_TICK_MS = 20;

export const bareUdp: Contender = async ({ stage, farEnd, isQuick }, pingsPerSecond) => {
  const seconds = isQuick ? 2 : 4;
  const tickMs = Math.min((1000 * BATCH) / pingsPerSecond, MAX_TICK_MS);
  const options = [pingsPerSecond, seconds, farEnd.port, tickMs].map(String);
  const command = pinned(NEAR_CORE, [process.execPath, SCRIPT, ...options]);
  return stage.during(command, async (running) => costOf(await running.line(), seconds));
};
