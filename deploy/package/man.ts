/** The man page, from the flags of `--help`. */

import { flagsWithHelp } from '../../src/config/flags.js';
import type { Release } from './release.js';

/** The page in roff, for section 1. */
export function manPage({ name, version, description, epoch }: Release): string {
  const date = new Date(epoch * 1000).toISOString().slice(0, 10);
  const options = flagsWithHelp().flatMap(({ name: flag, value, doc, env }) => [
    '.TP',
    `\\fB${roff(flag)}\\fR${roff(value)}`,
    roff(doc),
    ...(env === undefined ? [] : ['.br', `Environment: ${roff(env)}`]),
  ]);
  return `${[
    `.TH ${name.toUpperCase()} 1 ${date} "${name} ${version}" "User Commands"`,
    '.SH NAME',
    `${roff(name)} \\- ${roff(description)}`,
    '.SH SYNOPSIS',
    `.B ${roff(name)}`,
    '[\\fB\\-\\-destination\\fR \\fIURI\\fR]... [\\fB\\-\\-config.file\\fR \\fIFILE\\fR] [\\fIflags\\fR]',
    '.SH DESCRIPTION',
    'Pings SIP destinations with OPTIONS and exports the results to Prometheus.',
    'Later sources override earlier ones: defaults, file, environment variables, flags.',
    'Durations are seconds, or a number with a unit: ms, s, m or h.',
    'A list in an environment variable is separated by spaces.',
    '.SH OPTIONS',
    ...options,
    ...REST,
  ].join('\n')}\n`;
}

const REST = [
  '.SH SIGNALS',
  '.TP',
  'SIGHUP',
  'Reload the configuration. An invalid one is logged, and the one in force is kept.',
  '.TP',
  'SIGINT, SIGTERM',
  'Stop within 2 seconds.',
  '.SH EXIT STATUS',
  '.TP',
  '0',
  'A signal ended it.',
  '.TP',
  '1',
  'It cannot listen, or an unexpected error.',
  '.TP',
  '2',
  'The configuration or a flag is invalid.',
  '.SH FILES',
  '.TP',
  '/etc/sip\\-keepalive\\-exporter/config.yml',
  'The configuration of the service.',
  '.TP',
  '/etc/default/sip\\-keepalive\\-exporter',
  'More flags of the service, in ARGS.',
  '.TP',
  '/var/lib/sip\\-keepalive\\-exporter',
  'Destinations that were added at run time.',
  '.SH SEE ALSO',
  'The documentation in /usr/share/doc/sip\\-keepalive\\-exporter/docs.',
];

/** Dashes that can be copied, and no line that roff reads as a command. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/, '\\&');
}
