/** A real Prometheus with the rules, a real Alertmanager with its configuration, and what gets the messages. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import * as net from 'node:net';
import { join, resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { load } from 'js-yaml';
import { freePort } from './ports.js';
import { eventually, folder, run } from './process.js';
import { startPrometheus } from './prometheus.js';

/** An alert as a webhook of Alertmanager gets it. */
export interface Alert {
  readonly status: 'firing' | 'resolved';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Receiver {
  readonly name: string;
  readonly [integration: string]: unknown;
}

/** Parts of `deploy/alertmanager.yml`. */
export interface AlertmanagerConfig {
  readonly global: Readonly<Record<string, unknown>>;
  readonly receivers: readonly Receiver[];
}

export interface Posted {
  readonly path: string;
  readonly body: string;
}

type AtEnd = Pick<TestContext, 'after'>;

/** A server that accepts every request, with the requests so far. */
export async function startHttpSink(t: AtEnd) {
  const requests: Posted[] = [];
  const server = http.createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (data) => {
      body += data;
    });
    request.on('end', () => {
      requests.push({ path: request.url ?? '', body });
      response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"success"}');
    });
  });
  const port = await listen(t, server);
  t.after(() => server.closeAllConnections());
  return { url: `http://127.0.0.1:${port}`, requests };
}

const SMTP_REPLIES: Readonly<Record<string, string>> = {
  EHLO: '250-sink\r\n250 AUTH PLAIN',
  AUTH: '235 ok',
};

/** A mail server (RFC 5321) that accepts every message, with the messages and logins so far. */
export async function startSmtpSink(t: AtEnd) {
  const messages: string[] = [];
  const logins: string[] = [];
  const server = net.createServer((socket) => {
    let received = '';
    let isMessage = false;
    const answer = (piece: string): string => {
      const [verb = '', , login = ''] = piece.split(' ');
      if (isMessage) messages.push(piece.replace(/^\.\./gm, '.'));
      else if (verb === 'AUTH') logins.push(Buffer.from(login, 'base64').toString());
      isMessage = !isMessage && verb === 'DATA';
      return isMessage ? '354 go on' : (SMTP_REPLIES[verb] ?? '250 ok');
    };
    socket.on('error', () => {});
    socket.setEncoding('utf8').on('data', (data) => {
      received += data;
      for (;;) {
        const end = isMessage ? '\r\n.\r\n' : '\r\n';
        const at = received.indexOf(end);
        if (at === -1) return;
        const piece = received.slice(0, at);
        received = received.slice(at + end.length);
        socket.write(`${answer(piece)}\r\n`);
      }
    });
    socket.write('220 sink\r\n');
  });
  return { port: await listen(t, server), messages, logins };
}

async function listen(t: AtEnd, server: net.Server): Promise<number> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => server.close());
  return (server.address() as net.AddressInfo).port;
}

/** Alertmanager with `deploy/alertmanager.yml`, short waits, and these changes. Returns its address. */
export async function startAlertmanager(
  t: AtEnd,
  change: (config: AlertmanagerConfig) => object,
): Promise<string> {
  const path = folder(t);
  const text = readFileSync('deploy/alertmanager.yml', 'utf8')
    .replace(/^( *group_(?:wait|interval):) .*$/gm, '$1 1s')
    .replace('alertmanager/*.tmpl', resolve('deploy/alertmanager/*.tmpl'));
  const config = load(text) as AlertmanagerConfig;
  const file = join(path, 'alertmanager.yml');
  writeFileSync(file, JSON.stringify({ ...config, ...change(config) }));
  const address = `127.0.0.1:${await freePort()}`;
  const alertmanager = run(t, 'prometheus-alertmanager', [
    `--config.file=${file}`,
    `--storage.path=${join(path, 'data')}`,
    `--web.listen-address=${address}`,
    '--cluster.listen-address=',
  ]);
  await eventually(
    'Alertmanager is ready',
    async () => (await fetch(`http://${address}/-/ready`)).ok,
  ).catch((error: unknown) => assert.fail(`${error}\n${alertmanager.output()}`));
  return address;
}

/** Every receiver is a webhook: a POST to its name below the URL. */
export function toWebhooks(url: string): (config: AlertmanagerConfig) => object {
  return ({ receivers }) => ({
    global: {},
    receivers: receivers.map(({ name }) => ({
      name,
      webhook_configs: [{ url: `${url}/${name}`, send_resolved: true }],
    })),
  });
}

/** The alerts of a receiver, in messages. */
export const alertsOf = (requests: readonly Posted[], receiver: string): Alert[][] =>
  requests
    .filter(({ path }) => path === `/${receiver}`)
    .map(({ body }) => (JSON.parse(body) as { alerts: Alert[] }).alerts);

/** The files of `rules/` with this `for` and an evaluation interval of 1 s. */
export function fastRules(path: string, forText: string): string[] {
  return readdirSync('rules')
    .filter((name) => name.endsWith('.yml'))
    .map((name) => {
      const text = readFileSync(join('rules', name), 'utf8')
        .replace(/^( *for:) .*$/gm, `$1 ${forText}`)
        .replace(/^( *interval:) .*$/gm, '$1 1s');
      writeFileSync(join(path, name), text);
      return join(path, name);
    });
}

/** Prometheus with the rules. It scrapes these exporters, each with its labels. */
export async function startScraping(
  t: AtEnd,
  exporters: readonly {
    readonly url: string;
    readonly labels?: Readonly<Record<string, string>>;
  }[],
  { alertmanager, forText = '0s' }: { alertmanager?: string; forText?: string } = {},
) {
  const alerting = { alertmanagers: [{ static_configs: [{ targets: [alertmanager] }] }] };
  const job = {
    job_name: 'sip-keepalive',
    static_configs: exporters.map(({ url, labels = {} }) => ({
      targets: [new URL(url).host],
      labels,
    })),
  };
  const rule_files = fastRules(folder(t), forText);
  return startPrometheus(t, [job], {
    rule_files,
    ...(alertmanager === undefined ? {} : { alerting }),
  });
}
