/** Stacks from the registries of Go, npm and Maven, fetched when `npm run interop` runs them. */

import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../support/ports.js';
import { eventually, folder, run } from '../../support/process.js';
import { isOnPath, skipUnless } from '../../support/tools.js';
import { listens } from '../listens.js';
import type { Scope, Stack } from '../stack.js';
import { build, PEERS, serving } from './libraries.js';

/** Not installed in CI, so it is not among the programs that a test may need. */
const JAVA = 'java';

/** A copy of a peer's folder to build in. */
function copied(scope: Scope, peer: string): string {
  const path = folder(scope);
  cpSync(join(PEERS, peer), path, { recursive: true });
  return path;
}

export const SIPGO: Stack = {
  name: 'sipgo',
  origin: '`github.com/emiago/sipgo`, Go',
  needs: () => skipUnless(isOnPath('go'), 'go'),
  isExtra: true,
  start: async (scope) => {
    const path = copied(scope, 'sipgo');
    build('go', ['build', '-o', 'peer', '.'], path);
    const [port, ws] = [await freePort(), await freePort()];
    run(scope, join(path, 'peer'), [`127.0.0.1:${port}`, `127.0.0.1:${ws}`]);
    await listens('ws', ws);
    return [...(await serving(port, 'udp', 'tcp')), { transport: 'ws', port: ws }];
  },
};

export const JAIN_SIP: Stack = {
  name: 'JAIN SIP',
  origin: '`javax.sip:jain-sip-ri`, Maven',
  needs: () => skipUnless([JAVA, 'javac', 'mvn'].every(isOnPath), 'java, javac and mvn'),
  isExtra: true,
  start: async (scope) => {
    const path = copied(scope, 'jain');
    build('mvn', ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=lib'], path);
    build('javac', ['-cp', 'lib/*', '-d', 'classes', 'src/Answering.java'], path);
    const port = await freePort();
    run(scope, JAVA, ['-cp', 'lib/*:classes', 'Answering', String(port)], { cwd: path });
    return serving(port, 'udp', 'tcp');
  },
};

export const JSSIP: Stack = {
  name: 'JsSIP',
  origin: '`jssip`, npm',
  needs: () => skipUnless(isOnPath('npm'), 'npm'),
  isExtra: true,
  start: async (scope) => {
    const path = copied(scope, 'jssip');
    build('npm', ['install', '--no-audit', '--no-fund', '--silent'], path);
    const port = await freePort();
    const running = run(scope, process.execPath, ['main.js', String(port)], { cwd: path });
    await eventually('JsSIP is registered', () => running.output().includes('registered'));
    return [{ transport: 'ws', port, user: 'ping' }];
  },
};
