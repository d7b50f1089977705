/** The configuration in force, in the words of the configuration file. */

import type { PingSettings } from '../shared/destination.js';
import { bracketed } from '../shared/uri.js';
import type { Config } from './config.js';
import { DEFAULT_MODULE } from './destinations.js';

/** JSON, which is YAML too: what it shows can be loaded again and means the same. */
export function showConfig(config: Config): string {
  const { [DEFAULT_MODULE]: top, ...modules } = config.modules;
  const { host, port } = config.webListenAddress;
  const shown = {
    web: {
      'listen-address': `${bracketed(host)}:${port}`,
      config: { file: config.webConfigFile },
    },
    log: { level: config.logLevel, format: config.logFormat },
    dns: { servers: config.dnsServers },
    ...(top === undefined ? {} : showPing(top)),
    modules: Object.fromEntries(
      Object.entries(modules).map(([name, settings]) => [name, showPing(settings)]),
    ),
    destinations: config.destinations.map(({ uri, name, module, labels, settings }) => ({
      uri,
      name,
      module,
      labels,
      ...(settings === config.modules[module] ? {} : showPing(settings)),
    })),
  };
  return `${JSON.stringify(shown, null, 2)}\n`;
}

function showPing(settings: PingSettings) {
  return {
    ping_interval: `${settings.intervalMs}ms`,
    ping_timeout: `${settings.timeoutMs}ms`,
    ping_from: settings.pingFrom,
    rise: settings.rise,
    fall: settings.fall,
    alive_codes: settings.aliveCodes,
    transport: settings.transport,
    user_agent: settings.userAgent,
    source_address: settings.sourceAddress,
    source_port: settings.sourcePort,
  };
}
