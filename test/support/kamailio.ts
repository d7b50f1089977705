/** A real Kamailio as a far end that answers OPTIONS. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Issued } from './certificates.js';
import { eventually, folder, type Running, run } from './process.js';

export interface KamailioOptions {
  /** Such as `udp:127.0.0.1:5060`. */
  readonly sockets: readonly string[];
  /** For sockets that begin with `tls:`. */
  readonly certificate?: Issued;
  /** The authority that must have issued the certificates of callers. */
  readonly clientCaFile?: string;
  /** Digest authentication that every OPTIONS needs. */
  readonly digest?: {
    readonly realm: string;
    readonly password: string;
    readonly algorithm: 'MD5' | 'SHA-256';
  };
  /** HTTP requests on TCP sockets become WebSockets. */
  readonly isWebSocket?: boolean;
}

export async function startKamailio(
  t: Pick<TestContext, 'after'>,
  options: KamailioOptions,
): Promise<Running> {
  return runKamailio(t, configuration(options));
}

/** Starts Kamailio with this text as its kamailio.cfg, and with further arguments. */
export async function runKamailio(
  t: Pick<TestContext, 'after'>,
  text: string,
  ...args: readonly string[]
): Promise<Running> {
  const path = folder(t);
  const config = join(path, 'kamailio.cfg');
  writeFileSync(config, text);
  const running = run(
    t,
    'kamailio',
    ['-f', config, '-DD', '-E', '-Y', path, '-m', '512', '-M', '16', ...args],
    {
      detached: true,
    },
  );
  const state = await eventually('Kamailio runs', () => {
    if (running.child.exitCode !== null) return 'it ended';
    return /(?:udp|tcp|tls): /.test(running.output()) && 'it listens';
  });
  if (state === 'it ended') throw new Error(running.output());
  const group = running.child.pid ?? 0;
  const stop = async (signal: NodeJS.Signals = 'SIGKILL') => {
    try {
      process.kill(-group, signal);
    } catch {
      // The group has ended already.
    }
    return running.stop(signal);
  };
  t.after(() => stop());
  return { ...running, stop };
}

function configuration(options: KamailioOptions): string {
  const { sockets, certificate, clientCaFile, digest, isWebSocket = false } = options;
  const isOverTcp = sockets.some((socket) => !socket.startsWith('udp:'));
  const when = (is: boolean, ...lines: readonly string[]) => (is ? lines : []);
  return [
    'debug=2',
    'log_stderror=yes',
    'children=1',
    'auto_aliases=no',
    isOverTcp ? 'tcp_children=2\ntcp_max_connections=4096' : 'disable_tcp=yes',
    ...when(isWebSocket, 'tcp_accept_no_cl=yes'),
    ...when(certificate !== undefined, 'enable_tls=yes'),
    ...sockets.map((socket) => `listen=${socket}`),
    ...['sl', 'pv', 'auth'].map((name) => `loadmodule "${name}.so"`),
    ...when(certificate !== undefined, 'loadmodule "tls.so"'),
    ...when(isWebSocket, 'loadmodule "xhttp.so"', 'loadmodule "websocket.so"'),
    ...(certificate === undefined
      ? []
      : [
          `modparam("tls", "certificate", "${certificate.certFile}")`,
          `modparam("tls", "private_key", "${certificate.keyFile}")`,
          'modparam("tls", "tls_method", "TLSv1.2+")',
        ]),
    ...(clientCaFile === undefined
      ? []
      : [
          `modparam("tls", "ca_list", "${clientCaFile}")`,
          'modparam("tls", "verify_certificate", 1)',
          'modparam("tls", "require_certificate", 1)',
        ]),
    ...(digest === undefined ? [] : [`modparam("auth", "algorithm", "${digest.algorithm}")`]),
    'request_route {',
    '  if (method != "OPTIONS") { sl_send_reply("405", "Method Not Allowed"); exit; }',
    ...(digest === undefined
      ? []
      : [
          `  if (!pv_www_authenticate("${digest.realm}", "${digest.password}", "0")) {`,
          `    www_challenge("${digest.realm}", "1"); exit;`,
          '  }',
        ]),
    '  sl_send_reply("200", "Keepalive");',
    '}',
    ...when(
      isWebSocket,
      'event_route[xhttp:request] {',
      '  if ($hdr(Upgrade) =~ "websocket" && ws_handle_handshake()) exit;',
      '  xhttp_reply("404", "Not Found", "", "");',
      '}',
    ),
    '',
  ].join('\n');
}
