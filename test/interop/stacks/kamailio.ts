/** Kamailio as a server of OPTIONS, with digest, and as a registrar with digest. */

import { Authority } from '../../support/certificates.js';
import { runKamailio, startKamailio } from '../../support/kamailio.js';
import { freePort } from '../../support/ports.js';
import { needs } from '../../support/tools.js';
import type { Scope, Stack } from '../stack.js';

const PASSWORD = 'secret';
const AUTH = { username: 'probe', password: PASSWORD };

export const KAMAILIO: Stack = {
  name: 'Kamailio',
  origin: '`kamailio`',
  needs: () => needs('kamailio', 'kamailio/tls', 'kamailio/websocket', 'kamailio/auth', 'openssl'),
  start: async (scope) => {
    const certificate = Authority.root(scope).issue({ name: 'sip.example' });
    const [port, tls] = [await freePort(), await freePort()];
    await startKamailio(scope, {
      sockets: [`udp:127.0.0.1:${port}`, `tcp:127.0.0.1:${port}`, `tls:127.0.0.1:${tls}`],
      ...{ certificate, isWebSocket: true },
    });
    return [
      { transport: 'udp', port },
      { transport: 'tcp', port },
      { transport: 'tls', port: tls },
      { transport: 'ws', port },
    ];
  },
};

export const KAMAILIO_DIGEST: Stack = {
  name: 'Kamailio with digest',
  origin: '`kamailio`',
  needs: () => needs('kamailio', 'kamailio/auth'),
  start: async (scope) => {
    const port = await freePort();
    await startKamailio(scope, {
      sockets: [`udp:127.0.0.1:${port}`, `tcp:127.0.0.1:${port}`],
      digest: { realm: 'interop', password: PASSWORD, algorithm: 'SHA-256' },
    });
    return (['udp', 'tcp'] as const).map((transport) => {
      return { transport, port, settings: { auth: AUTH } };
    });
  },
};

/** A registrar with mf_process_maxfwd_header; pings query the bindings of a user (RFC 3261 10.2.3). */
async function startRegistrar(scope: Scope): Promise<number> {
  const port = await freePort();
  const modules = ['sl', 'pv', 'auth', 'maxfwd', 'usrloc', 'registrar'];
  await runKamailio(
    scope,
    [
      ...['debug=2', 'log_stderror=yes', 'children=1', 'auto_aliases=no', 'tcp_children=1'],
      ...['udp', 'tcp'].map((transport) => `listen=${transport}:127.0.0.1:${port}`),
      ...modules.map((name) => `loadmodule "${name}.so"`),
      'request_route {',
      '  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }',
      '  if (method != "REGISTER") { sl_send_reply("200", "Keepalive"); exit; }',
      `  if (!pv_www_authenticate("interop", "${PASSWORD}", "0")) {`,
      '    www_challenge("interop", "1"); exit;',
      '  }',
      '  save("location");',
      '}',
      '',
    ].join('\n'),
  );
  return port;
}

export const KAMAILIO_REGISTRAR: Stack = {
  name: 'Kamailio as registrar',
  origin: '`kamailio`',
  needs: () => needs('kamailio', 'kamailio/auth', 'kamailio/registrar', 'kamailio/usrloc'),
  start: async (scope) => {
    const port = await startRegistrar(scope);
    const settings = { method: 'REGISTER', auth: AUTH };
    return (['udp', 'tcp'] as const).map((transport) => {
      return { transport, port, user: AUTH.username, settings };
    });
  },
};
