/** Softphones and test tools of Debian. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../support/ports.js';
import { folder, run } from '../../support/process.js';
import { needs } from '../../support/tools.js';
import { listens } from '../listens.js';
import type { Stack } from '../stack.js';

const BOTH = ['udp', 'tcp'] as const;

const ANSWERING = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="answering">
  <recv request="OPTIONS"></recv>
  <send><![CDATA[
      SIP/2.0 200 OK
      [last_Via:]
      [last_From:]
      [last_To:];tag=[call_number]
      [last_Call-ID:]
      [last_CSeq:]
      Server: SIPp
      Content-Length: 0

  ]]></send>
</scenario>
`;

export const SIPP: Stack = {
  name: 'SIPp',
  origin: '`sip-tester`',
  needs: () => needs('sipp'),
  start: async (scope) => {
    const path = folder(scope);
    const scenario = join(path, 'answering.xml');
    writeFileSync(scenario, ANSWERING);
    return Promise.all(
      BOTH.map(async (transport) => {
        const port = await freePort();
        const mode = transport === 'udp' ? 'u1' : 't1';
        const where = ['-t', mode, '-i', '127.0.0.1', '-p', String(port)];
        run(scope, 'sipp', ['-sf', scenario, ...where, '-nostdin'], { cwd: path });
        await listens(transport, port);
        return { transport, port };
      }),
    );
  },
};

/** Knows one user, and sends 404 for any other. */
export const BARESIP: Stack = {
  name: 'baresip',
  origin: '`baresip-core`',
  needs: () => needs('baresip'),
  start: async (scope) => {
    const path = folder(scope);
    const port = await freePort();
    const lines = [
      `sip_listen 127.0.0.1:${port}`,
      'module_path /usr/lib/baresip/modules',
      'module_app account.so',
      'net_interface 127.0.0.1',
    ];
    writeFileSync(join(path, 'config'), `${lines.join('\n')}\n`);
    writeFileSync(join(path, 'accounts'), `<sip:ping@127.0.0.1:${port}>;regint=0\n`);
    writeFileSync(join(path, 'contacts'), '');
    run(scope, 'baresip', ['-f', path], { env: { ...process.env, HOME: path } });
    for (const transport of BOTH) await listens(transport, port);
    return BOTH.map((transport) => ({ transport, port, user: 'ping' }));
  },
};

/** The same without the user. */
export const BARESIP_STRANGER: Stack = {
  ...BARESIP,
  name: 'baresip, no user',
  start: async (scope) =>
    (await BARESIP.start(scope)).map(({ transport, port }) => ({ transport, port })),
};

export const LINPHONE: Stack = {
  name: 'linphonec',
  origin: '`linphone-cli`',
  needs: () => needs('linphonec', 'mkfifo'),
  start: async (scope) => {
    const path = folder(scope);
    for (const needed of ['.local/share/linphone', '.config/linphone']) {
      mkdirSync(join(path, needed), { recursive: true });
    }
    const port = await freePort();
    const config = join(path, 'rc');
    const lines = [
      ...['[sip]', `sip_port=${port}`, `sip_tcp_port=${port}`, 'sip_tls_port=0', 'ipv6=0'],
      ...['bind_address=127.0.0.1', 'guess_hostname=0', 'register_only_when_network_is_up=0'],
      ...['[net]', 'stun_server=', 'firewall_policy=0', '[misc]', 'version_check_url_root='],
    ];
    writeFileSync(config, `${lines.join('\n')}\n`);
    // It exits at the end of its standard input.
    const command = `mkfifo '${path}/in' && exec linphonec -c '${config}' <> '${path}/in'`;
    run(scope, 'sh', ['-c', command], { cwd: path, env: { ...process.env, HOME: path } });
    for (const transport of BOTH) await listens(transport, port);
    return BOTH.map((transport) => ({ transport, port }));
  },
};
