/** Settings that take effect only when the process starts. */

import type { Config } from './config.js';

type FixedKey = 'webListenAddress' | 'webConfigFile' | 'logFormat' | 'stateDir' | 'dns' | 'udpIo';

const SETTINGS: Readonly<Record<FixedKey, string>> = {
  webListenAddress: 'web.listen-address',
  webConfigFile: 'web.config.file',
  logFormat: 'log.format',
  stateDir: 'state_dir',
  dns: 'dns',
  udpIo: 'udp.io',
};

/** Returns `next` with the fixed settings of `current`, and the names of the settings that differ. */
export function keepFixed(
  current: Config,
  next: Config,
): { readonly config: Config; readonly ignored: readonly string[] } {
  const { webListenAddress, webConfigFile, logFormat, stateDir, dns, udpIo } = current;
  const fixed: Pick<Config, FixedKey> = {
    ...{ webListenAddress, webConfigFile, logFormat, stateDir, dns, udpIo },
  };
  const keys = Object.keys(SETTINGS) as FixedKey[];
  const ignored = keys.filter((key) => JSON.stringify(next[key]) !== JSON.stringify(fixed[key]));
  return { config: { ...next, ...fixed }, ignored: ignored.map((key) => SETTINGS[key]) };
}
