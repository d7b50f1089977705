/** Collects the problems of the configuration and their places. */

import { nearestOf } from '../shared/nearest.js';
import { ConfigError } from './formats.js';

/** Reports a problem of the value at a path (`destinations[0].uri`). */
export type Report = (path: string, problem: string) => void;

/** YAML aliases can repeat one problem a million times. */
const MAX_PROBLEMS = 100;

/** The origins of the values of a configuration. */
export interface Origins {
  /** Paths of the settings that were given as flags. */
  readonly flags: ReadonlySet<string>;
  /** Environment variables that were given, by paths of settings. */
  readonly variables: ReadonlyMap<string, string>;
  /** Empty without a file. */
  readonly file: string;
  /** The line of a path in the file, if it is known. */
  readonly lineOf: (path: string) => number | undefined;
}

export class Problems {
  readonly #lines: string[];
  readonly #origins: Origins;

  /** @param lines the problems that are known already. */
  constructor(origins: Origins, lines: readonly string[] = []) {
    this.#origins = origins;
    this.#lines = [...lines];
  }

  /** @throws ConfigError when there are too many. */
  readonly report: Report = (path, problem) => {
    this.#lines.push(`${this.placeOf(path)}: ${problem}`);
    if (this.#lines.length < MAX_PROBLEMS) return;
    throw new ConfigError([...this.#lines, 'only the first problems are shown'].join('\n'));
  };

  /** @throws ConfigError with all problems, one per line, if there are any. */
  throwIfAny(): void {
    if (this.#lines.length > 0) throw new ConfigError(this.#lines.join('\n'));
  }

  /** `--rise`, `SIP_KEEPALIVE_RISE` or `sip.yml:3: rise`. */
  placeOf(path: string): string {
    const { flags, variables, file, lineOf } = this.#origins;
    const setting = path.match(/^[\w.-]+?(?=\[|$)/)?.[0] ?? path;
    for (const name of [path, setting]) {
      const rest = path.slice(name.length);
      if (flags.has(name)) return `--${name}${rest}`;
      const variable = variables.get(name);
      if (variable !== undefined) return `${variable}${rest}`;
    }
    if (file === '') return path;
    const line = lineOf(path);
    return line === undefined ? `${file}: ${path}` : `${file}:${line}: ${path}`;
  }
}

/** The text for a key that does not exist, or that is a path (`log.level`) instead of levels. */
export function unknownKey(key: string, known: readonly string[]): string {
  if (known.includes(key)) {
    const levels = `${key.replaceAll('.', ': { ')}: …${' }'.repeat(key.split('.').length - 1)}`;
    return `unknown setting (a dot is a level in the file: ${levels})`;
  }
  const nearest = nearestOf(key, known);
  return `unknown setting${nearest || ' (docs/configuration.md lists all settings)'}`;
}

/** The text for a module that does not exist. */
export function unknownModule(name: string, known: Iterable<string>): string {
  const names = [...known];
  const nearest = nearestOf(name, names);
  const choice = names.slice(0, 10).join(', ') + (names.length > 10 ? ', …' : '');
  return `unknown module ${JSON.stringify(name.slice(0, 120))}${nearest || ` (modules: ${choice})`}`;
}
