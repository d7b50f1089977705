/** Kamailio's own `keepalive` module. */

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freeUdpPort, NEAR_CORE, pinned, which } from '../machine.js';
import { cpuMicros } from '../proc.js';
import type { Stage } from '../stage.js';
import type { Contender } from './contender.js';

/** Directories of the modules by distribution. */
const MODULE_PATHS = [
  '/usr/lib/x86_64-linux-gnu/kamailio/modules',
  '/usr/lib/aarch64-linux-gnu/kamailio/modules',
  '/usr/lib64/kamailio/modules',
  '/usr/local/lib64/kamailio/modules',
];
const STARTS_WITHIN_MS = 20_000;
const WARM_UP_MS = 2000;

export const kamailio: Contender = async ({ stage, farEnd, isQuick }, pingsPerSecond) => {
  const program = which('kamailio');
  const modules = MODULE_PATHS.find((path) => existsSync(join(path, 'keepalive.so')));
  if (program === undefined || modules === undefined) return undefined;
  const seconds = isQuick ? 3 : 6;
  const config = configText(modules, await freeUdpPort(), farEnd.uris(pingsPerSecond));
  const command = pinned(NEAR_CORE, [program, ...flags(stage, config)]);
  return stage.during(command, async (running) => {
    const before = await farEnd.requests();
    await stage.until('pings from Kamailio', STARTS_WITHIN_MS, async () => {
      if (!running.isRunning) throw new Error(`Kamailio ended: ${running.errorOutput}`);
      return (await farEnd.requests()).pings - before.pings >= pingsPerSecond;
    });
    await stage.sleep(WARM_UP_MS);
    const first = { cpu: cpuMicros(running.pid), ...(await farEnd.requests()) };
    await stage.sleep(seconds * 1000);
    const last = { cpu: cpuMicros(running.pid), ...(await farEnd.requests()) };
    const sent = last.pings - first.pings;
    return {
      cpuMicrosPerPing: (last.cpu - first.cpu) / sent,
      sentPerSecond: sent / seconds,
      lost: (last.retransmissions - first.retransmissions) / sent,
    };
  });
};

function flags(stage: Stage, config: string): readonly string[] {
  const file = join(stage.directory, 'kamailio.cfg');
  writeFileSync(file, config);
  return ['-f', file, '-Y', stage.directory, '-DD', '-E', '-m', '1024'];
}

/** Kamailio pings all destinations at once each second, so it gets a buffer for that many responses. */
function configText(modules: string, port: number, uris: readonly string[]): string {
  const destinations = uris.map((uri) => `modparam("keepalive", "destination", "${uri}")`);
  return `#!KAMAILIO
debug=0
log_stderror=yes
children=2
disable_tcp=yes
auto_aliases=no
maxbuffer=4194304
listen=udp:127.0.0.1:${port}
mpath="${modules}/"
loadmodule "tm.so"
loadmodule "keepalive.so"
modparam("keepalive", "ping_interval", 1)
modparam("keepalive", "delete_counter", 0)
${destinations.join('\n')}
request_route { drop; }
`;
}
