/** The parsers of PyPI's `prometheus_client`. */

import { join } from 'node:path';
import { type CleanUps, runToEnd } from './process.js';
import { fromPyPi } from './pypi.js';

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
export function installParser(t: CleanUps): PythonParser | string {
  const { path, skip } = fromPyPi(t, 'requirements.txt');
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
