/** The default settings, for tests that change a few. */

import type { Config } from '../../src/config/config.js';
import type { Identity, PingSettings, TlsSettings } from '../../src/shared/destination.js';

/** A configuration without the members that differ between equal configurations. */
export function comparable(config: Config): Config {
  return Object.freeze({
    ...config,
    file: '',
    readEntry: nothing,
    moduleProblem: nothing,
    placeOf: nothing,
  });
}

/** The settings of a source whose destinations keep their names and its module. */
export const NO_NAMING = { nameFrom: [], moduleFrom: undefined, modules: {} } as const;

function nothing(): never {
  throw new Error('this configuration is only for comparison');
}

type Change = Partial<Omit<PingSettings, 'identity' | 'tls'>> & {
  readonly identity?: Partial<Identity>;
  readonly tls?: Partial<TlsSettings>;
};

export function settings({ identity, tls, ...rest }: Change = {}): PingSettings {
  return {
    intervalMs: 30_000,
    retryIntervalMs: rest.intervalMs ?? 30_000,
    downIntervalMs: rest.intervalMs ?? 30_000,
    timeoutMs: 5_000,
    rise: 1,
    fall: 1,
    deleteCounter: 0,
    maxBackoffMs: 300_000,
    aliveCodes: '2xx',
    drainingCodes: '',
    respectRetryAfter: false,
    method: 'OPTIONS',
    identity: {
      ...{ pingFrom: '', user: '', to: '', contact: '', viaHost: '', userAgent: 'test' },
      ...{ route: '', headers: [] },
      ...identity,
    },
    auth: undefined,
    transport: 'auto',
    connection: 'persistent',
    wsPath: '/',
    wsOrigin: 'auto',
    maxForwards: 70,
    tls: {
      ...{ caFile: '', certFile: '', keyFile: '', keyPassphraseFile: '', serverName: '' },
      ...{ minVersion: 'TLS12', maxVersion: 'TLS13' },
      ...{ ciphers: '', legacyRenegotiation: false },
      ...{ insecureSkipVerify: false, strictRfc5922: false },
      ...tls,
    },
    sourceAddress: '',
    sourcePort: 0,
    dscp: 0,
    interfaceName: '',
    ipProtocol: 'any',
    resolve: 'all',
    aliveWhen: 'any',
    maxTargets: 32,
    ...rest,
  };
}
