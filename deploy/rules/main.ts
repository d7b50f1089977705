/**
 * `npm run rules -- [--runbook-base URL] [--exporter-url URL] [--output FOLDER]`: writes the files of
 * `rules/` with your links. The URL of the exporter may be a template of Prometheus:
 * `--exporter-url='https://{{ $labels.instance }}/sip'`.
 */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { nearestOf } from '../../src/shared/nearest.js';
import { DEFAULT_LINKS, readUrl, withLinks } from './links.js';

const SOURCE = 'rules';
const OPTIONS = {
  'runbook-base': { type: 'string', default: DEFAULT_LINKS.runbookBase },
  'exporter-url': { type: 'string', default: DEFAULT_LINKS.exporterUrl },
  output: { type: 'string', default: 'dist/rules' },
} as const;

/** @throws for an unknown option, and for one without a value. */
function readOptions() {
  const { values, tokens } = parseArgs({ options: OPTIONS, strict: false, tokens: true });
  const known = Object.keys(OPTIONS);
  const usage = ` (options: ${known.map((name) => `--${name}`).join(', ')})`;
  for (const token of tokens) {
    if (token.kind === 'positional') throw new Error(`unexpected argument ${token.value}${usage}`);
    if (token.kind !== 'option') continue;
    const { rawName, name, value } = token;
    if (!known.includes(name))
      throw new Error(`${rawName}: unknown option${nearestOf(name, known) || usage}`);
    if (value === undefined || value === '') throw new Error(`${rawName}: expected a value`);
  }
  return {
    runbookBase: readUrl('runbook-base', String(values['runbook-base'])),
    exporterUrl: readUrl('exporter-url', String(values['exporter-url'])),
    output: String(values.output),
  };
}

/** @throws when the folder is that of the sources, or cannot be written. */
function write(): void {
  const { output, ...links } = readOptions();
  if (resolve(output) === resolve(SOURCE))
    throw new Error(`--output: expected another folder than that of the sources, got ${output}`);
  mkdirSync(output, { recursive: true });
  for (const name of readdirSync(SOURCE).filter((name) => name.endsWith('.yml'))) {
    const file = join(output, name);
    writeFileSync(file, withLinks(readFileSync(join(SOURCE, name), 'utf8'), links));
    process.stdout.write(`${file}\n`);
  }
}

try {
  write();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 2;
}
