/** A real Kamailio with its dispatcher and the JSON-RPC interface that `discovery.kamailio_rpc` reads. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { RpcAnswer } from './exporter.js';
import { runKamailio } from './kamailio.js';
import { freePort } from './ports.js';
import { folder, type Running } from './process.js';

/** For `needs`, besides `kamailio`. */
export const RPC_MODULES: readonly string[] = [
  ...['kamailio/dispatcher', 'kamailio/jsonrpcs', 'kamailio/xhttp'],
  ...['kamailio/db_text', 'kamailio/keepalive', 'kamailio/uac', 'kamailio/tm'],
];

/** A line of the dispatcher's list. */
export interface DispatcherLine {
  readonly setid: number;
  readonly uri: string;
  readonly flags?: number;
  readonly attrs?: string;
}

export interface RpcKamailioOptions {
  /** Of SIP over UDP and TCP, and of HTTP; by default a free one. */
  readonly port?: number;
  readonly lines: readonly DispatcherLine[];
  /** Where the dispatcher has its list from. Default: a file. */
  readonly from?: 'file' | 'db_text';
  /** Destinations of the module keepalive. */
  readonly keepalive?: readonly string[];
  /** The registrar of one registration of the module uac, as `host:port`. */
  readonly registrar?: string;
  /** Further lines of kamailio.cfg, such as `modparam("dispatcher", …)`. */
  readonly more?: readonly string[];
  /** The actions of `request_route`. Default: the response 200. */
  readonly route?: readonly string[];
}

export interface RpcKamailio extends Running {
  readonly port: number;
  /** For the setting `url`. */
  readonly url: string;
  rpc(method: string, ...params: readonly (string | number)[]): Promise<RpcAnswer>;
  /** Replaces the list, and has it loaded. */
  load(lines: readonly DispatcherLine[]): Promise<void>;
}

export async function startRpcKamailio(
  t: Pick<TestContext, 'after'>,
  options: RpcKamailioOptions,
): Promise<RpcKamailio> {
  const { port = await freePort(), lines, from = 'file' } = options;
  const directory = folder(t);
  const write = (list: readonly DispatcherLine[]) => {
    const [name, text] =
      from === 'file' ? ['dispatcher.list', fileOf(list)] : ['dispatcher', tableOf(list)];
    writeFileSync(join(directory, name), text);
  };
  write(lines);
  const { registrar } = options;
  writeFileSync(join(directory, 'version'), VERSIONS);
  writeFileSync(join(directory, 'uacreg'), registrationOf(registrar ?? ''));
  const running = await runKamailio(t, configuration(options, port, directory));
  const url = `http://127.0.0.1:${port}/RPC`;
  const rpc = async (method: string, ...params: readonly (string | number)[]) => {
    const body = JSON.stringify({ jsonrpc: '2.0', method, params, id: 1 });
    return (await (await fetch(url, { method: 'POST', body })).json()) as RpcAnswer;
  };
  const load = async (list: readonly DispatcherLine[]) => {
    write(list);
    const { error } = await rpc('dispatcher.reload');
    if (error !== undefined) throw new Error(error.message);
  };
  return { ...running, port, url, rpc, load };
}

function configuration(options: RpcKamailioOptions, port: number, directory: string): string {
  const { from = 'file', keepalive = [], registrar, more = [] } = options;
  const { route = ['sl_send_reply("200", "OK");'] } = options;
  const modules = ['sl', 'pv', 'tm', 'rr', 'xhttp', 'jsonrpcs', 'db_text', 'dispatcher'];
  const database = `text://${directory}`;
  return [
    ...['debug=2', 'log_stderror=yes', 'children=1', 'auto_aliases=no', 'tcp_children=2'],
    'tcp_accept_no_cl=yes',
    ...[`listen=udp:127.0.0.1:${port}`, `listen=tcp:127.0.0.1:${port}`],
    ...modules.map((name) => `loadmodule "${name}.so"`),
    // Without its cache, db_text reads the table again at each reload.
    'modparam("jsonrpcs", "transport", 1)\nmodparam("db_text", "db_mode", 1)',
    from === 'file'
      ? `modparam("dispatcher", "list_file", "${directory}/dispatcher.list")`
      : `modparam("dispatcher", "db_url", "${database}")`,
    'modparam("dispatcher", "ds_ping_interval", 0)\nmodparam("dispatcher", "reload_delta", 0)',
    ...(keepalive.length === 0 ? [] : ['loadmodule "keepalive.so"']),
    ...keepalive.map((uri) => `modparam("keepalive", "destination", "${uri}")`),
    ...(registrar === undefined
      ? []
      : [
          `loadmodule "uac.so"\nmodparam("uac", "reg_db_url", "${database}")`,
          `modparam("uac", "reg_contact_addr", "127.0.0.1:${port}")`,
          'modparam("uac", "reg_timer_interval", 1)\nmodparam("uac", "restore_mode", "none")',
        ]),
    ...more,
    ...['request_route {', ...route, '}'],
    'event_route[xhttp:request] {',
    '  if ($hu =~ "^/RPC") { jsonrpc_dispatch(); exit; }',
    '  xhttp_reply("404", "Not Found", "text/html", "<h1>Not Found</h1>");',
    '}\n',
  ].join('\n');
}

function fileOf(lines: readonly DispatcherLine[]): string {
  return lines
    .map(({ setid, uri, flags = 0, attrs = '' }) => `${setid} ${uri} ${flags} 0 ${attrs}\n`)
    .join('');
}

/** A table of db_text, in which colons are escaped. */
function tableOf(lines: readonly DispatcherLine[]): string {
  const columns =
    'id(int,auto) setid(int) destination(string) flags(int) priority(int) attrs(string) description(string)';
  const rows = lines.map(({ setid, uri, flags = 0, attrs = '' }, i) => {
    return [i + 1, setid, escaped(uri), flags, 0, escaped(attrs), 'of a test'].join(':');
  });
  return `${[columns, ...rows].join('\n')}\n`;
}

const escaped = (text: string) => text.replaceAll(':', '\\:');

const VERSIONS = `id(int,auto) table_name(string) table_version(int)
1:dispatcher:4
2:uacreg:5
`;

function registrationOf(registrar: string): string {
  const columns = [
    'id(int,auto) l_uuid(string) l_username(string) l_domain(string) r_username(string)',
    'r_domain(string) realm(string) auth_username(string) auth_password(string)',
    'auth_ha1(string,null) auth_proxy(string,null) expires(int) flags(int) reg_delay(int)',
    'contact_addr(string,null) socket(string,null)',
  ].join(' ');
  const row = [
    ...[1, 'trunk-1', 'alice', 'local.example', 'u123', 'registrar.example', 'registrar.example'],
    ...['u123', 'S3CRET', '', escaped(`sip:${registrar}`), 60, 0, 0, '', ''],
  ].join(':');
  return `${columns}\n${row}\n`;
}
