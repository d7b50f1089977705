/** The parsers of PyPI's `prometheus_client`. */

import { join } from 'node:path';
import { folder, runToEnd } from './process.js';
import { skipUnless } from './tools.js';

export interface PythonFamily {
  /** A counter has it without `_total`. */
  readonly name: string;
  readonly type: string;
  readonly unit: string;
  readonly samples: readonly {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
    readonly exemplar: Readonly<Record<string, string>> | null;
  }[];
}

export type PythonParser = (format: 'text' | 'openmetrics', text: string) => PythonFamily[];

/**
 * Downloads the parsers. The test must declare that it needs `python3` and `pip3`.
 *
 * @returns why the test is skipped if PyPI is out of reach. @throws then in CI.
 */
export function installParser(t: Parameters<typeof folder>[0]): PythonParser | string {
  const path = folder(t);
  const install = runToEnd('pip3', [
    ...['install', '--quiet', '--target', path, '--require-hashes', '--only-binary=:all:'],
    ...['--retries=1', '--timeout=20', '-r', 'test/support/requirements.txt'],
  ]);
  const { skip } = skipUnless(install.status === 0, `prometheus_client of PyPI: ${install.output}`);
  if (skip !== false) return skip;
  return (format, input) => {
    const { status, stdout, stderr } = runToEnd(
      'python3',
      [join('test/support', 'parse_metrics.py'), format],
      { input, env: { ...process.env, PYTHONPATH: path } },
    );
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as PythonFamily[];
  };
}
