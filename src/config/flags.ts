/** Flags and environment variables, as far as they are given, by the paths of their settings. */

import { parseArgs } from 'node:util';
import { ConfigError } from './formats.js';
import { settings } from './schema.js';

export type Given = Readonly<Record<string, unknown>>;

export interface Flags {
  readonly given: Given;
  readonly help: boolean;
  readonly version: boolean;
}

/** @throws ConfigError for a flag that does not exist or lacks its value. */
export function readFlags(args: readonly string[]): Flags {
  const options = Object.fromEntries(
    settings().map(([, setting]) => [
      setting.arg ?? '',
      {
        type: setting.isSwitch ? ('boolean' as const) : ('string' as const),
        multiple: setting.isRepeatable ?? false,
      },
    ]),
  );
  const process = { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean' } } as const;
  try {
    const { values } = parseArgs({ args: [...args], options: { ...options, ...process } });
    const { help = false, version = false, ...given } = values;
    return { given, help: help === true, version: version === true };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`command line: ${message}; --help lists the flags`, { cause: error });
  }
}

export function readEnvironment(env: NodeJS.ProcessEnv): Given {
  const given: Record<string, unknown> = {};
  for (const [path, setting] of settings()) {
    const value = setting.env === undefined ? undefined : env[setting.env];
    if (value !== undefined && value !== '') given[path] = value;
  }
  return given;
}

/** The text of `--help`. */
export function helpText(): string {
  const lines = settings().map(([, setting]) => {
    const value = setting.isSwitch ? '' : `=${showDefault(setting.default)}`;
    const repeat = setting.isRepeatable ? ' Repeatable.' : '';
    return `  --${setting.arg}${value}\n      ${setting.doc}${repeat} [${setting.env}]`;
  });
  return [
    'sip-keepalive-exporter pings SIP destinations with OPTIONS and serves what it learns to Prometheus.',
    '',
    'Usage: sip-keepalive-exporter [--destination URI]... [--config.file FILE] [flags]',
    '',
    ...lines,
    '  --version\n      Print the version.',
    '  -h, --help\n      Print this.',
    '',
    'Order of precedence: defaults, file, environment (in brackets), flags.',
    '',
  ].join('\n');
}

function showDefault(value: unknown): string {
  if (Array.isArray(value)) return '...';
  return value === '' ? '""' : String(value);
}
