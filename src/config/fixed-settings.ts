/** Settings that take effect only when the process starts. */

import type { Config } from './config.js';

const TOP = {
  logFormat: 'log.format',
  stateDir: 'state_dir',
  dns: 'dns',
  udpIo: 'udp.io',
} as const;
const WEB = {
  listenAddresses: 'web.listen-address',
  isSystemdSocket: 'web.systemd-socket',
  configFile: 'web.config.file',
  telemetryPath: 'web.telemetry-path',
  routePrefix: 'web.route-prefix',
} as const;

/** Returns `next` with the fixed settings of `current`, and the names of the settings that differ. */
export function keepFixed(
  current: Config,
  next: Config,
): { readonly config: Config; readonly ignored: readonly string[] } {
  const top = kept(current, next, TOP);
  const web = kept(current.web, next.web, WEB);
  const config = { ...next, ...top.fixed, web: { ...next.web, ...web.fixed } };
  return { config, ignored: [...web.ignored, ...top.ignored] };
}

/** The values of `current` for these keys, and the names of those that differ in `next`. */
function kept<T, K extends keyof T & string>(
  current: T,
  next: T,
  names: Readonly<Record<K, string>>,
): { readonly fixed: Pick<T, K>; readonly ignored: readonly string[] } {
  const keys = Object.keys(names) as K[];
  const fixed = Object.fromEntries(keys.map((key) => [key, current[key]])) as Pick<T, K>;
  const ignored = keys.filter((key) => JSON.stringify(next[key]) !== JSON.stringify(fixed[key]));
  return { fixed, ignored: ignored.map((key) => names[key]) };
}
