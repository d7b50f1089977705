/** A plain loop over `sip.send` of npm `sip`: the obvious implementation. */

import { fileURLToPath } from 'node:url';
import { freeUdpPort, NEAR_CORE, pinned } from '../machine.js';
import { type Contender, costOf } from './contender.js';

const SCRIPT = fileURLToPath(new URL('../children/sip-send.js', import.meta.url));

export const sipSend: Contender = async ({ stage, farEnd, isQuick }, pingsPerSecond) => {
  const seconds = isQuick ? 2 : 4;
  const options = [pingsPerSecond, seconds, farEnd.port, await freeUdpPort()].map(String);
  const command = pinned(NEAR_CORE, [process.execPath, SCRIPT, ...options]);
  return stage.during(command, async (running) => costOf(await running.line(), seconds));
};
