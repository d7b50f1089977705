/** The type of the configuration of the library, derived from the tables of settings. */

import type { FORMATS, FormatName } from './config/formats.js';
import type { PING_SETTINGS } from './config/ping-schema.js';
import type { PROCESS_SETTINGS } from './config/process-schema.js';
import type { Settings } from './config/setting.js';

/** Seconds, or a number with a unit: `'500ms'`, `'2s'`, `'1m'`. */
export type Duration = number | string;

/** What users write, where it is not a string. */
interface GivenByFormat {
  readonly interval: Duration;
  readonly intervalOrZero: Duration;
  readonly optionalInterval: Duration;
  readonly duration: Duration;
  readonly optionalDuration: Duration;
  readonly ttl: Duration;
  readonly boolean: boolean;
  readonly stringList: string | readonly string[];
  readonly optionalStringList: string | readonly string[];
  readonly bounds: readonly number[];
  readonly headers: readonly string[] | Readonly<Record<string, string>>;
  readonly aliveCodes: string | number | readonly (string | number)[];
}

type Given<F extends FormatName> = F extends keyof GivenByFormat
  ? GivenByFormat[F]
  : AsRead<ReturnType<(typeof FORMATS)[F]>>;

/** The others are written as they are read. */
type AsRead<T> = T extends number
  ? number
  : T extends readonly string[]
    ? string | readonly string[]
    : T extends string
      ? T
      : string;

/** `{'auth.username': x}` as `{auth: {username: x}}`. */
type Nested<T extends Settings> = {
  readonly [P in keyof T & string as P extends `${string}.${string}` ? never : P]?: Given<
    T[P]['format']
  >;
} & {
  readonly [G in GroupOf<keyof T & string>]?: {
    readonly [P in keyof T & string as P extends `${G}.${infer Name}` ? Name : never]?: Given<
      T[P]['format']
    >;
  };
};

type GroupOf<P extends string> = P extends `${infer Group}.${string}` ? Group : never;

/** How to ping: the keys of a module in docs/configuration.md. */
export type PingConfig = Nested<typeof PING_SETTINGS>;

/** One of `destinations`. */
export type DestinationConfig = PingConfig & {
  readonly uri: string;
  readonly name?: string;
  readonly module?: string;
  readonly labels?: Readonly<Record<string, string>>;
};

type ProcessConfig = Nested<typeof PROCESS_SETTINGS>;

/** The keys of the configuration file that the library uses. */
export type KeepAliveConfig = PingConfig &
  Pick<ProcessConfig, 'dns' | 'udp'> & {
    readonly modules?: Readonly<Record<string, PingConfig>>;
    readonly destinations?: readonly (string | DestinationConfig)[];
  };
