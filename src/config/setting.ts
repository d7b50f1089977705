/** The declaration of settings, and what is derived from it. */

import type { FORMATS, FormatName } from './formats.js';

export interface Setting {
  /** One or more sentences for `--help` and docs/configuration.md. */
  readonly doc: string;
  /** The name of one of FORMATS. */
  readonly format: FormatName;
  /** The value as a user would write it. */
  readonly default: unknown;
  /** Path of the value in the resulting object; a dot separates levels (`dns.servers`). */
  readonly member: string;
  readonly env: string;
  /** The name of the flag, without its dashes. */
  readonly arg: string;
  /** The flag may be repeated; each one adds an item. */
  readonly isRepeatable?: true;
  /** The flag takes no value. */
  readonly isSwitch?: true;
  /** The value of the flag without a value. */
  readonly bare?: string;
  /** In the file it may be a mapping. */
  readonly isMapping?: true;
  /** The value is never shown. */
  readonly isSecret?: true;
  /** Omitted from /config, because it applies only to the start, or /config shows it in another form. */
  readonly isHidden?: true;
}

/** Settings by their paths (`web.listen-address`); a dot separates levels of the file. */
export type Settings = Readonly<Record<string, Setting>>;

/** Declares the setting at `path`, from which its flag and environment variable are derived. */
export function setting<const S extends Omit<Setting, 'env' | 'arg'>>(path: string, rest: S) {
  const env = `SIP_KEEPALIVE_${path.replace(/[.-]/g, '_').toUpperCase()}`;
  return { ...rest, env, arg: path };
}

/** The type of the value of a setting, by its format. */
type ValueOf<S extends Setting> = ReturnType<(typeof FORMATS)[S['format']]>;

/** The values of settings by their paths. */
export type Values<T extends Settings> = { readonly [Path in keyof T]: ValueOf<T[Path]> };

/** The values of settings by their members (`dns.servers`). */
type ByMember<T extends Settings> = {
  readonly [Path in keyof T as T[Path]['member']]: ValueOf<T[Path]>;
};

type GroupOf<Member> = Member extends `${infer Group}.${string}` ? Group : never;

/** `{'dns.servers': x}` as `{dns: {servers: x}}`. */
type ByLevel<Flat> = {
  readonly [Member in keyof Flat as Member extends `${string}.${string}`
    ? never
    : Member]: Flat[Member];
} & {
  readonly [Group in GroupOf<keyof Flat>]: {
    readonly [Member in keyof Flat as Member extends `${Group}.${infer Name}`
      ? Name
      : never]: Flat[Member];
  };
};

/** The object that a table of settings is read into. */
export type ObjectOf<T extends Settings> = ByLevel<ByMember<T>>;

/** Builds the object from values by the `member` of each setting. */
export function objectOf<T extends Settings>(table: T, values: Values<T>): ObjectOf<T> {
  const flat = Object.entries(table).map(([path, { member }]) => [member, values[path]]);
  // TypeScript cannot derive this type from the loop.
  return byLevels(Object.fromEntries(flat)) as ObjectOf<T>;
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
