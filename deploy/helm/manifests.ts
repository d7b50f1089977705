/** The manifests in deploy/kubernetes: what the chart makes, for those who do not use Helm. */

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { CHART } from './chart.js';

const FOLDER = 'deploy/kubernetes';
const DESTINATIONS = [
  { uri: 'sip:sip.provider.example.com', name: 'provider', labels: { carrier: 'example' } },
];
const CONFIG = { ping_interval: 10, destinations: DESTINATIONS };
const SHARDS = { config: CONFIG, shards: 3, persistence: { enabled: true } };
const MONITORED = { serviceMonitor: { enabled: true } };
const ONLY_MONITOR = ['--show-only=templates/servicemonitor.yaml'];

interface Manifest {
  readonly values: object;
  readonly args?: readonly string[];
}

const MANIFESTS: Readonly<Record<string, Manifest>> = {
  'single.yml': { values: { config: CONFIG } },
  'single-servicemonitor.yml': { values: MONITORED, args: ONLY_MONITOR },
  'shards.yml': { values: SHARDS },
  'shards-servicemonitor.yml': { values: { ...SHARDS, ...MONITORED }, args: ONLY_MONITOR },
};

/** The path of each, and its text. */
export function manifests(helm: string): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(MANIFESTS).map(([file, { values, args = [] }]) => {
      const command = ['template', 'sip-keepalive-exporter', CHART, '--skip-tests', '--values=-'];
      const text = execFileSync(helm, [...command, '--kube-version=1.28.0', ...args], {
        encoding: 'utf8',
        input: JSON.stringify(values),
        stdio: 'pipe',
      });
      return [join(FOLDER, file), withoutHelm(text)];
    }),
  );
}

/** Without what says that Helm manages the object. */
function withoutHelm(text: string): string {
  const made = '# Made from the Helm chart by `npm run chart`.\n';
  return (
    made +
    text.replace(/^(# Source:| *helm\.sh\/chart:| *app\.kubernetes\.io\/managed-by:).*\n/gm, '')
  );
}
