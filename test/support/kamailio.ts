/** A real Kamailio that answers OPTIONS, as the far end. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { eventually, folder, type Running, run } from './process.js';

/** Starts it on these sockets, such as `udp:127.0.0.1:5060`; the same again may be started later. */
export async function startKamailio(
  t: Pick<TestContext, 'after'>,
  sockets: readonly string[],
): Promise<Running> {
  const path = folder(t);
  const config = join(path, 'kamailio.cfg');
  writeFileSync(
    config,
    [
      'debug=2',
      'log_stderror=yes',
      'children=1',
      'disable_tcp=yes',
      'auto_aliases=no',
      ...sockets.map((socket) => `listen=${socket}`),
      'loadmodule "sl.so"',
      'loadmodule "pv.so"',
      'request_route {',
      '  if (method == "OPTIONS") { sl_send_reply("200", "Keepalive"); exit; }',
      '  sl_send_reply("405", "Method Not Allowed");',
      '}',
      '',
    ].join('\n'),
  );
  const running = run(
    t,
    'kamailio',
    ['-f', config, '-DD', '-E', '-Y', path, '-m', '16', '-M', '4'],
    {
      detached: true,
    },
  );
  const state = await eventually('Kamailio runs', () => {
    if (running.child.exitCode !== null) return 'it ended';
    return running.output().includes('udp: ') && 'it listens';
  });
  if (state === 'it ended') throw new Error(running.output());
  const group = running.child.pid ?? 0;
  const stop = async (signal: NodeJS.Signals = 'SIGKILL') => {
    try {
      process.kill(-group, signal);
    } catch {
      // The group is gone already.
    }
    return running.stop(signal);
  };
  t.after(() => stop());
  return { ...running, stop };
}
