/**
 * Every setting, declared once: its sentence, format, default, environment variable and flag.
 * `--help` and docs/configuration.md are made from this.
 */

import type { FormatName } from './formats.js';

export interface Setting {
  readonly doc: string;
  /** The name of one of FORMATS. */
  readonly format: FormatName;
  readonly default: unknown;
  readonly env?: string;
  /** The name of the flag, without its dashes. */
  readonly arg?: string;
  /** May be given again and again, each time one item. */
  readonly isRepeatable?: true;
  /** A flag that takes no value. */
  readonly isSwitch?: true;
}

/** Settings of pings: at the top level for all, in a module, or on one destination. */
export const PING_SETTINGS = {
  ping_interval: setting('ping_interval', {
    doc: 'Time between two pings of a target. Seconds, or a number with ms, s, m or h.',
    format: 'interval',
    default: 30,
  }),
  ping_timeout: setting('ping_timeout', {
    doc: 'How long to wait for an answer, from the first send on. By default 5 s, or nine tenths of the interval where that is less.',
    format: 'timeout',
    default: '',
  }),
  ping_from: setting('ping_from', {
    doc: 'URI of the From header. By default sip:keepalive@ and the address that the ping is sent from.',
    format: 'sip_uri',
    default: '',
  }),
  rise: setting('rise', {
    doc: 'Pings alive in a row before a target is up.',
    format: 'count',
    default: 1,
  }),
  fall: setting('fall', {
    doc: 'Pings not alive in a row before a target is down.',
    format: 'count',
    default: 1,
  }),
  alive_codes: setting('alive_codes', {
    doc: 'Answers that count as alive: codes, ranges and classes in a list, ! takes away, or what another system takes: kamailio, opensips, asterisk, oracle, cucm, cube, freeswitch.',
    format: 'alive_codes',
    default: '2xx',
  }),
  transport: setting('transport', {
    doc: 'The wire that pings take where the URI does not name one.',
    format: 'transport',
    default: 'udp',
  }),
  user_agent: setting('user_agent', {
    doc: 'The User-Agent header. By default the name and version of this program.',
    format: 'header',
    default: '',
  }),
  source_address: setting('source_address', {
    doc: 'Local IP address to send from. By default the one that the routes choose.',
    format: 'address',
    default: '',
  }),
  source_port: setting('source_port', {
    doc: 'Local UDP port to send from; 0 for one that the system chooses.',
    format: 'port_number',
    default: 0,
  }),
} as const satisfies Readonly<Record<string, Setting>>;

export const PROCESS_SETTINGS = {
  config: {
    file: setting('config.file', {
      doc: 'Configuration file, YAML or JSON.',
      format: 'text',
      default: '',
    }),
    check: setting('config.check', {
      doc: 'Say whether the configuration is right, and end.',
      format: 'truth',
      default: false,
      isSwitch: true,
    }),
  },
  web: {
    'listen-address': setting('web.listen-address', {
      doc: 'Address and port of the HTTP server.',
      format: 'listen_address',
      default: ':10060',
    }),
    config: {
      file: setting('web.config.file', {
        doc: 'File with TLS and basic-auth settings of the HTTP server, in the format of the Prometheus exporters.',
        format: 'text',
        default: '',
      }),
    },
  },
  log: {
    level: setting('log.level', {
      doc: 'The least important lines to log: debug, info, warn or error.',
      format: 'log_level',
      default: 'info',
    }),
    format: setting('log.format', {
      doc: 'How lines are written: logfmt or json.',
      format: 'log_format',
      default: 'logfmt',
    }),
  },
  dns: {
    servers: setting('dns.servers', {
      doc: 'DNS servers to ask, each address or address:port. By default those of the system.',
      format: 'dns_servers',
      default: [],
      isRepeatable: true,
    }),
  },
  destination: setting('destination', {
    doc: 'A SIP URI to watch, besides those under destinations: 192.168.10.20, sip.provider.com.',
    format: 'texts',
    default: [],
    isRepeatable: true,
  }),
} as const;

/** Every single setting: the schema that convict reads. */
export const SETTINGS = { ...PROCESS_SETTINGS, ...PING_SETTINGS } as const;

/** The parts of the file that are no single settings. */
export const STRUCTURES = {
  destinations: {
    doc: 'What to watch: a list of URIs, or of mappings with uri, name, module, labels and any setting of pings.',
  },
  modules: {
    doc: 'Settings of pings under a name, for destinations to choose by module. The module default holds the settings of the top level.',
  },
} as const;

export const SCHEMA = { ...SETTINGS, ...STRUCTURES } as const;

/** Every setting with its path (`web.listen-address`), in the order of the schema. */
export function settings(): readonly (readonly [path: string, setting: Setting])[] {
  return leaves(SETTINGS, '');
}

function leaves(node: object, prefix: string): (readonly [string, Setting])[] {
  return Object.entries(node).flatMap(([key, value]) => {
    const path = `${prefix}${key}`;
    return isSetting(value) ? [[path, value] as const] : leaves(value, `${path}.`);
  });
}

function isSetting(value: object): value is Setting {
  return 'doc' in value;
}

function setting<const S extends Omit<Setting, 'env' | 'arg'>>(path: string, rest: S) {
  const env = `SIP_KEEPALIVE_${path.replace(/[.-]/g, '_').toUpperCase()}`;
  return { ...rest, env, arg: path };
}
