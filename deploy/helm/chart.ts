/** The files of the chart that are made from others. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readVersion } from '../../src/platform/version.js';
import { documentedValues, valuesTable } from './values.js';

export const CHART = 'deploy/helm/sip-keepalive-exporter';
const TABLE = /(<!-- begin values -->\n).*?(<!-- end values -->)/s;

const read = (path: string) => readFileSync(path, 'utf8');

/** The path of each, and its text. */
export function chartFiles(): ReadonlyMap<string, string> {
  const [chart, readme] = [join(CHART, 'Chart.yaml'), join(CHART, 'README.md')];
  const values = documentedValues(read(join(CHART, 'values.yaml')));
  return new Map([
    [chart, withVersion(read(chart))],
    [readme, read(readme).replace(TABLE, `$1${valuesTable(values)}$2`)],
  ]);
}

function withVersion(text: string): string {
  return text.replace(/^(version|appVersion): .*$/gm, `$1: ${readVersion()}`);
}
