/** The reference: the cost of a ping in C with only `sendto` and `recvfrom`. */

import { NEAR_CORE, pinned } from '../machine.js';
import { compiled } from '../native.js';
import { type Contender, costOf } from './contender.js';

export const cLoop: Contender = async ({ stage, farEnd, isQuick }, pingsPerSecond) => {
  const program = await compiled(stage, 'loop');
  if (program === undefined) return undefined;
  const seconds = isQuick ? 2 : 5;
  const command = [program, pingsPerSecond, seconds, farEnd.port].map(String);
  return stage.during(pinned(NEAR_CORE, command), async (running) =>
    costOf(await running.line(), seconds),
  );
};
