/** Libraries, each used by a small program of `test/interop/peers`. */

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { freePort } from '../../support/ports.js';
import { folder, run, runToEnd } from '../../support/process.js';
import { needs, skipUnless } from '../../support/tools.js';
import { listens } from '../listens.js';
import type { Peer, Scope, Stack } from '../stack.js';

/** Folder of the programs. */
export const PEERS = resolve('test/interop/peers');

/** Runs a program to its end. @throws with its output when it fails. */
export function build(program: string, args: readonly string[], cwd = PEERS): void {
  const { status, output } = runToEnd(program, args, { cwd });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}\n${output}`);
}

/** Compiles a C file; returns the program. */
function compile(scope: Scope, file: string, ...flags: readonly string[]): string {
  const program = join(folder(scope), 'peer');
  build('cc', ['-o', program, file, ...flags]);
  return program;
}

/** Needs a C compiler and the library of a Debian package. */
function needsLibrary(header: string, packageName: string): { readonly skip: string | false } {
  const compiler = needs('cc');
  if (compiler.skip !== false) return compiler;
  const requirement = `${header} (Debian: apt-get install ${packageName})`;
  return skipUnless(existsSync(join('/usr/include', header)), requirement);
}

const SOFIA_HEADERS = 'sofia-sip-1.12';

/** Waits until the program listens. */
export async function serving(port: number, ...transports: Peer['transport'][]): Promise<Peer[]> {
  for (const transport of transports) await listens(transport, port);
  return transports.map((transport) => ({ transport, port }));
}

export const SOFIA: Stack = {
  name: 'Sofia-SIP',
  origin: '`libsofia-sip-ua-dev`',
  needs: () => needsLibrary(SOFIA_HEADERS, 'libsofia-sip-ua-dev'),
  start: async (scope) => {
    const program = compile(scope, 'sofia.c', `-I/usr/include/${SOFIA_HEADERS}`, '-lsofia-sip-ua');
    const port = await freePort();
    run(scope, program, [`sip:127.0.0.1:${port}`]);
    return serving(port, 'udp', 'tcp');
  },
};

export const OSIP: Stack = {
  name: 'oSIP',
  origin: '`libosip2-dev`',
  needs: () => needsLibrary('osip2', 'libosip2-dev'),
  start: async (scope) => {
    const program = compile(scope, 'osip.c', '-losip2', '-losipparser2');
    const port = await freePort();
    run(scope, program, [String(port)]);
    return serving(port, 'udp');
  },
};

export const NPM_SIP: Stack = {
  name: 'sip.js of kirm',
  origin: '`sip` of npm',
  needs: () => ({ skip: false }),
  start: async (scope) => {
    const [port, ws] = [await freePort(), await freePort()];
    run(scope, process.execPath, [join(PEERS, 'npm-sip.mjs'), String(port), String(ws)]);
    await listens('ws', ws);
    return [...(await serving(port, 'udp', 'tcp')), { transport: 'ws', port: ws }];
  },
};
