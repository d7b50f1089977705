/** Reads flags and environment variables, and has the text of `--help`. */

import { parseArgs } from 'node:util';
import { nearestOf } from '../shared/nearest.js';
import { ConfigError } from './formats.js';
import { settings } from './schema.js';

/** Values by the paths of their settings. */
export type Given = Readonly<Record<string, unknown>>;

export interface Flags {
  readonly given: Given;
  readonly help: boolean;
  readonly version: boolean;
  /** A line for each flag that does not exist. */
  readonly problems: readonly string[];
}

/** @throws ConfigError for a flag without its value, or an argument that is no flag. */
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
  const all = { ...options, ...process };
  const known = Object.keys(all);
  const { args: rest, unknown } = withoutUnknown(args, known);
  const problems = unknown.map((name) => {
    return `--${name}: unknown flag${nearestOf(name, known) || ' (--help lists all flags)'}`;
  });
  try {
    const { values } = parseArgs({ args: rest.map(withValue), options: all });
    const { help = false, version = false, ...given } = values;
    return { given, help: help === true, version: version === true, problems };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const line = `command line: ${message} (--help lists all flags)`;
    throw new ConfigError([...problems, line].join('\n'), { cause: error });
  }
}

/**
 * The arguments without the flags that do not exist and their values, and the names of these flags. No value
 * is kept, because it may be a password.
 */
function withoutUnknown(args: readonly string[], known: readonly string[]) {
  const unknown: string[] = [];
  const rest = args.filter((arg, i) => {
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name !== undefined && !known.includes(name)) {
      unknown.push(name);
      return false;
    }
    const before = /^--([^=]+)$/.exec(args[i - 1] ?? '')?.[1];
    return before === undefined || known.includes(before) || arg.startsWith('-');
  });
  return { args: rest, unknown };
}

/** A flag with its value, if it has one by default. */
function withValue(arg: string): string {
  const bare = settings().find(([, setting]) => arg === `--${setting.arg}`)?.[1].bare;
  return bare === undefined ? arg : `${arg}=${bare}`;
}

/** The values of the environment variables that are not empty. */
export function readEnvironment(env: NodeJS.ProcessEnv): Given {
  const given: Record<string, unknown> = {};
  for (const [path, setting] of settings()) {
    const value = setting.env === undefined ? undefined : env[setting.env];
    if (value !== undefined && value !== '') given[path] = value;
  }
  return given;
}

/** A flag as `--help`, the man page and the completion show it. */
export interface FlagHelp {
  /** With its dashes: `--ping_interval`. */
  readonly name: string;
  /** What follows the name: `=10`, `=...`, or nothing for a switch. */
  readonly value: string;
  readonly doc: string;
  /** Its environment variable. */
  readonly env?: string;
}

/** Every flag, in the order of `--help`. */
export function flagsWithHelp(): readonly FlagHelp[] {
  const flags = settings().map(([, setting]) => {
    const value = setting.isSwitch ? '' : `=${showDefault(setting.default)}`;
    return {
      name: `--${setting.arg}`,
      value: setting.bare === undefined ? value : `[${value}]`,
      doc: setting.doc + (setting.isRepeatable ? ' Repeatable.' : ''),
      env: setting.env,
    };
  });
  return [
    ...flags,
    { name: '--version', value: '', doc: 'Print the version and exit.' },
    { name: '--help', value: '', doc: 'Print this help and exit. Short: -h.' },
  ];
}

/** The text of `--help`. */
export function helpText(): string {
  const lines = flagsWithHelp().map(
    ({ name, value, doc, env }) =>
      `  ${name}${value}\n      ${doc}${env === undefined ? '' : ` [${env}]`}`,
  );
  return [
    'sip-keepalive-exporter pings SIP destinations with OPTIONS and exports the results to Prometheus.',
    '',
    'Usage: sip-keepalive-exporter [--destination URI]... [--config.file FILE] [flags]',
    '',
    'Later sources override earlier ones: defaults, file, environment variables (in brackets), flags.',
    'Durations are seconds, or a number with a unit: ms, s, m or h. A list in an environment variable',
    'is separated by spaces. docs/configuration.md describes the file.',
    '',
    ...lines,
    '',
  ].join('\n');
}

/** The default of a flag in the text of `--help`: of a repeatable one, if it is a single value. */
function showDefault(value: unknown): string {
  if (Array.isArray(value)) return value.length === 1 ? String(value[0]) : '...';
  return value === '' ? '""' : String(value);
}
