/** `npm run demo`: the exporter with a fleet of simulated SIP servers. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Running, startFleet } from './fleet.js';

const EXPORTER = fileURLToPath(new URL('../src/main.js', import.meta.url));

/** Flags for the Prometheus of prometheus.yml and its Alertmanager. */
const WITH_OTHERS = [
  '--web.prometheus_url=http://localhost:9090',
  '--web.alertmanager_url=http://localhost:9093',
  '--web.enable-admin-api',
];

/** JSON, which is valid YAML too. */
function configuration(members: readonly Running[]): string {
  return JSON.stringify(
    {
      ping_interval: 5,
      ping_timeout: 2,
      destinations: members.map(({ name, uri, settings }) => ({
        uri,
        name,
        labels: { fleet: 'demo' },
        ...settings,
      })),
    },
    null,
    2,
  );
}

function introduction(members: readonly Running[], configFile: string): string {
  const rows = members.map(({ name, uri, verdict, reason, description }) => {
    const expected = verdict === 'down' ? `down (${reason})` : verdict;
    return `  ${name.padEnd(10)} ${uri.padEnd(34)} ${expected.padEnd(22)} ${description}`;
  });
  return [
    `${members.length} simulated SIP servers, and the state that the exporter should report for each:`,
    '',
    ...rows,
    '',
    'Open in a browser (the log line below has the actual port):',
    '  http://localhost:10060/                               status page',
    '  http://localhost:10060/metrics                        metrics',
    '  http://localhost:10060/alive?destination=fast         1 up, 2 down, -1 unknown',
    '  http://localhost:10060/api/v1/destinations/flapping   one destination as JSON',
    '  http://localhost:10060/probe?debug=true&target=…      one ping of any URI, with each message',
    'Days, weeks and months, and silences, need Prometheus and Alertmanager. From this folder:',
    `  npm run demo -- ${WITH_OTHERS.join(' ')}`,
    '  prometheus --config.file=prometheus.yml --storage.tsdb.path=data/prometheus',
    '  prometheus-alertmanager --config.file=deploy/alertmanager.yml --storage.path=data/alertmanager',
    `Configuration: ${configFile}. Ctrl-C stops everything.`,
    '',
    '',
  ].join('\n');
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sip-keepalive-demo-'));
  const fleet = await startFleet(folder);
  const configFile = join(folder, 'config.json');
  writeFileSync(configFile, configuration(fleet.members));
  process.stdout.write(introduction(fleet.members, configFile));
  const args = [EXPORTER, `--config.file=${configFile}`, ...process.argv.slice(2)];
  const exporter = spawn(process.execPath, args, { stdio: 'inherit' });
  // Ctrl-C reaches the exporter too; a signal to this process alone is forwarded.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => exporter.kill('SIGTERM'));
  await once(exporter, 'exit');
  fleet.close();
  rmSync(folder, { recursive: true });
  process.exitCode = exporter.exitCode ?? 1;
}

await main();
