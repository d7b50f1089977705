/** The real exporter, as a separate process. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, folder, type Running, run } from './process.js';

export const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

export interface Exporter extends Running {
  readonly url: string;
  /** The path of its configuration file, which tests may rewrite. */
  readonly configFile: string;
  /** The body of the response. */
  get(path: string, headers?: Record<string, string>): Promise<string>;
  /** The body of /alive, as a number. */
  isAlive(destination: string): Promise<number>;
  /** One destination, from the API. */
  destination(name: string): Promise<DestinationJson>;
  /** The response to a JSON-RPC call. */
  rpc(method: string, params: unknown): Promise<RpcAnswer>;
  post(path: string, body: string, headers?: Record<string, string>): Promise<Response>;
  /**
   * How often the pinger thread crashed. On a starved machine the thread may also be terminated
   * because it seems to hang; that does not count.
   */
  crashes(): number;
  /** The sum of all samples whose name and labels match. */
  metric(name: string, labels?: Record<string, string>): Promise<number | undefined>;
}

export interface RpcAnswer {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

export interface DestinationJson {
  readonly code: number;
  readonly state: string;
  readonly reason: string | null;
  readonly server: string | null;
  readonly targets: readonly {
    readonly address: string;
    readonly state: string;
    readonly reason: string | null;
    readonly code: number;
    readonly sip_code: number | null;
    readonly pings: number;
    readonly rtt: number | null;
    readonly detail: string | null;
    /** The last ten pings, the newest first. */
    readonly recent: readonly { readonly rtt: number | null }[];
    readonly exchange: {
      readonly steps: readonly { readonly offset: number; readonly direction: string }[];
    } | null;
    readonly tls: {
      readonly version: string | null;
      readonly verified: boolean;
      readonly error: string | null;
      readonly subject: string;
      readonly not_after: string | null;
    } | null;
  }[];
}

export interface Launch {
  /** A program that runs the exporter, with its arguments. */
  readonly by?: readonly string[];
  /** Another file than that of this build. */
  readonly main?: string;
  /** The page that answers once it has started; an exporter whose pings all fail locally is not ready. */
  readonly until?: '/-/ready' | '/-/healthy' | '/sip/-/ready';
}

/** Starts the exporter with this configuration on a free port, and waits until it has started. */
export async function startExporter(
  t: Pick<TestContext, 'after'>,
  config: unknown,
  args: readonly string[] = [],
  { by = [], main = MAIN, until = '/-/ready' }: Launch = {},
): Promise<Exporter> {
  const file = join(folder(t), 'config.json');
  writeFileSync(file, JSON.stringify(config));
  // Without the hosts file of this machine, whose entries for localhost differ.
  const where = [
    ...[`--config.file=${file}`, '--web.listen-address=127.0.0.1:0', '--dns.hosts_file='],
    '--web.enable-lifecycle',
  ];
  const fixed = [...where, '--log.format=json'];
  const [program = '', ...rest] = [...by, process.execPath, main, ...fixed, ...args];
  const running = run(t, program, rest);
  const url = await eventually('the exporter listens', () => {
    if (running.child.exitCode !== null) return 'it ended';
    return /"url":"([^"]+)\/"/.exec(running.output())?.[1];
  });
  if (url === 'it ended') throw new Error(running.output());
  // A busy exporter may close an idle connection just when the test uses it again.
  const close = { connection: 'close' };
  const get = async (path: string, headers: Record<string, string> = {}) =>
    (await fetch(`${url}${path}`, { headers: { ...close, ...headers } })).text();
  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    fetch(`${url}${path}`, { method: 'POST', body, headers: { ...close, ...headers } });
  await eventually('the exporter has started', async () => (await fetch(`${url}${until}`)).ok);
  return {
    ...running,
    url,
    configFile: file,
    get,
    post,
    rpc: async (method, params) => {
      const call = { jsonrpc: '2.0', id: 1, method, params };
      return (await (await post('/rpc', JSON.stringify(call))).json()) as RpcAnswer;
    },
    isAlive: async (name) => Number(await get(`/alive?destination=${encodeURIComponent(name)}`)),
    destination: async (name) =>
      JSON.parse(await get(`/api/v1/destinations/${encodeURIComponent(name)}`)) as DestinationJson,
    crashes: () => {
      const count = (pattern: RegExp) => running.output().match(pattern)?.length ?? 0;
      return count(/pinger thread exited/g) - count(/pinger thread hangs/g);
    },
    metric: async (name, labels = {}) => sum(await get('/metrics'), name, labels),
  };
}

/** The sum of the samples with this name and these labels; undefined when there are none. */
export function sum(
  text: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const values = text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => pairs.every((label) => line.includes(label)))
    .map((line) => Number(line.slice(line.lastIndexOf(' '))));
  return values.length === 0 ? undefined : values.reduce((a, b) => a + b);
}
