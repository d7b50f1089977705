/**
 * Every setting, declared once: its sentence, format, default, environment variable and flag.
 * `--help` and docs/configuration.md are made from this.
 */

import { PING_SETTINGS } from './ping-schema.js';
import { type Setting, setting } from './setting.js';

export const PROCESS_SETTINGS = {
  config: {
    file: setting('config.file', {
      doc: 'Configuration file, YAML or JSON.',
      format: 'text',
      default: '',
    }),
    'auto-reload-interval': setting('config.auto-reload-interval', {
      doc: 'How often to look whether the configuration file has changed, and load it anew; empty for never.',
      format: 'lull',
      default: '',
    }),
    check: setting('config.check', {
      doc: 'Say whether the configuration is right, and end.',
      format: 'truth',
      default: false,
      isSwitch: true,
    }),
  },
  shard: setting('shard', {
    doc: 'Which shard of the destinations to watch, counted from 0. A stable hash of its name decides in which shard a destination is.',
    format: 'shard',
    default: 0,
  }),
  'total-shards': setting('total-shards', {
    doc: 'How many shards there are.',
    format: 'shard_count',
    default: 1,
  }),
  state_dir: setting('state_dir', {
    doc: 'Folder for what was added at run time, which a restart shall not lose; for one process alone.',
    format: 'text',
    default: '',
  }),
  web: {
    'enable-admin-api': setting('web.enable-admin-api', {
      doc: 'Let /rpc add and delete destinations.',
      format: 'truth',
      default: false,
      isSwitch: true,
    }),
    'listen-address': setting('web.listen-address', {
      doc: 'Address and port of the HTTP server.',
      format: 'listen_address',
      default: ':10060',
    }),
    'external-url': setting('web.external-url', {
      doc: "The URL by which users reach the exporter. /rpc, /-/reload, /config, /logs and the debug output of /probe answer under its host, under localhost, under this machine's host name and under any IP address, and under no other name.",
      format: 'external_url',
      default: '',
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
      doc: 'DNS servers to ask, each address or address:port. By default those of dns.resolv_conf.',
      format: 'dns_servers',
      default: [],
      isRepeatable: true,
    }),
    resolv_conf: setting('dns.resolv_conf', {
      doc: 'Where dns.servers is empty, the file that lists DNS servers and search domains (resolv.conf(5)). It is read again when it changes.',
      format: 'text',
      default: '/etc/resolv.conf',
    }),
    search: setting('dns.search', {
      doc: 'Domains that complete a short name, tried in this order. By default those of dns.resolv_conf; a single dot is for none.',
      format: 'domains',
      default: [],
      isRepeatable: true,
    }),
    timeout: setting('dns.timeout', {
      doc: 'How long to wait for the answer of a DNS server. A server that does not answer is asked twice.',
      format: 'timeout',
      default: 2,
    }),
    min_ttl: setting('dns.min_ttl', {
      doc: 'An answer is used at least so long, whatever its TTL.',
      format: 'ttl',
      default: 5,
    }),
    max_ttl: setting('dns.max_ttl', {
      doc: 'An answer is used at most so long, whatever its TTL.',
      format: 'ttl',
      default: 300,
    }),
    hosts_file: setting('dns.hosts_file', {
      doc: 'Names in this file have the addresses that it says, and are not looked up. It is read again when it changes.',
      format: 'text',
      default: '/etc/hosts',
    }),
  },
  probe: {
    enabled: setting('probe.enabled', {
      doc: 'Whether /probe answers.',
      format: 'truth',
      default: true,
    }),
    allow: setting('probe.allow', {
      doc: 'What /probe may be asked to ping: CIDR blocks, and domains with all below them. By default anything.',
      format: 'allow_list',
      default: [],
      isRepeatable: true,
    }),
  },
  discovery: {
    'kamailio-cfg': setting('discovery.kamailio-cfg', {
      doc: 'A kamailio.cfg whose modparam("keepalive", ...) lines say what to watch.',
      format: 'texts',
      default: [],
      isRepeatable: true,
    }),
    'dispatcher-list': setting('discovery.dispatcher-list', {
      doc: "A list of Kamailio's dispatcher to watch.",
      format: 'texts',
      default: [],
      isRepeatable: true,
    }),
    'file-sd': setting('discovery.file-sd', {
      doc: "A file with destinations in the format of Prometheus's file_sd, YAML or JSON; * stands for anything in a name.",
      format: 'texts',
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
export const SETTINGS: object = { ...PROCESS_SETTINGS, ...byLevels(PING_SETTINGS) };

/** The parts of the file that are no single settings. */
export const STRUCTURES = {
  discovery: {
    shape: 'a mapping',
    doc: 'Further places where it stands what to watch: lists under file_sd, http_sd, dispatcher_list and kamailio_cfg.',
  },
  webhooks: {
    shape: 'a list',
    doc: 'Whom to tell, by HTTP, when a destination goes up or down: a list of mappings.',
  },
  destinations: {
    shape: 'a list',
    doc: 'What to watch: a list of URIs, or of mappings with uri, name, module, labels and any setting of pings.',
  },
  modules: {
    shape: 'a mapping',
    doc: 'Settings of pings under a name, for destinations to choose by module. The module default holds the settings of the top level.',
  },
} as const;

export const SCHEMA: object = { ...SETTINGS, ...STRUCTURES };

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

/** `{'auth.username': x}` as `{auth: {username: x}}`. */
export function byLevels(flat: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(flat)) {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    let node = root;
    for (const key of keys) {
      const below = node[key];
      const level: Record<string, unknown> =
        typeof below === 'object' && below !== null ? { ...below } : {};
      node[key] = level;
      node = level;
    }
    node[last] = value;
  }
  return root;
}
