/** The configuration file: its settings, and the line of each. */

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isMapping } from '../platform/values.js';
import { parseYaml, YamlError } from '../platform/yaml.js';
import { yamlLines } from '../platform/yaml-lines.js';
import { decodeUtf8 } from '../shared/text.js';
import { Expected } from './expected.js';
import { ConfigError } from './formats.js';

export interface ConfigFile {
  readonly settings: Readonly<Record<string, unknown>>;
  /** The line of a path (`destinations[0].uri`), or of the nearest level above it. */
  readonly lineOf: (path: string) => number | undefined;
}

/**
 * Reads the file; relative file names in `tls_config` and `auth` become absolute.
 *
 * @throws ConfigError when it cannot be read, or is neither YAML nor JSON.
 */
export function readConfigFile(path: string): ConfigFile {
  const text = readText(path);
  let lines: ReadonlyMap<string, number> | undefined;
  return {
    settings: parse(path, text),
    lineOf(setting) {
      lines ??= yamlLines(text);
      for (let at = setting; at !== ''; at = parentOf(at)) {
        const line = lines.get(at);
        if (line !== undefined) return line;
      }
      return undefined;
    },
  };
}

/** The level above a path: `a[0].b` for `a[0].b.c`, then `a[0]`, `a` and the empty string. */
function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('.'), path.lastIndexOf('['), 0));
}

function readText(path: string): string {
  try {
    return decodeUtf8(readFileSync(path));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`${path}: expected a readable file, got ${why}`, { cause: error });
  }
}

function parse(path: string, text: string): Readonly<Record<string, unknown>> {
  try {
    const isJson = path.endsWith('.json') && text.trim() !== '';
    const content: unknown = isJson ? JSON.parse(text) : parseYaml(text);
    if (content === null || content === undefined) return {};
    if (!isMapping(content)) throw new Expected('a mapping of settings', content);
    return withAbsolutePaths(content, dirname(path)) as Record<string, unknown>;
  } catch (error) {
    throw new ConfigError(`${path}${placeOf(error)}: ${problemOf(error)}`, { cause: error });
  }
}

/** `:line` if it is known. The text of the line is never shown, because it may contain a password. */
function placeOf(error: unknown): string {
  return error instanceof YamlError && error.line !== undefined ? `:${error.line}` : '';
}

/** Messages of other errors are not used: they quote the text, which may contain a password. */
function problemOf(error: unknown): string {
  const isSafe = error instanceof Expected || error instanceof YamlError;
  return isSafe ? error.message : 'file is neither valid YAML nor JSON';
}

/**
 * Resolves the file names in `tls_config` and `auth` at every level, relative to the configuration file.
 *
 * @param done the values that are already resolved: YAML aliases can lead to a value many times, and in
 *   circles.
 */
function withAbsolutePaths(
  given: unknown,
  directory: string,
  done: Map<unknown, unknown> = new Map(),
): unknown {
  if (typeof given !== 'object' || given === null) return given;
  const known = done.get(given);
  if (known !== undefined) return known;
  if (Array.isArray(given)) {
    const items: unknown[] = [];
    done.set(given, items);
    items.push(...given.map((item) => withAbsolutePaths(item, directory, done)));
    return items;
  }
  const resolved: Record<string, unknown> = {};
  done.set(given, resolved);
  for (const [key, value] of Object.entries(given)) {
    const isGroup = (key === 'tls_config' || key === 'auth') && isMapping(value);
    const inner = isGroup
      ? resolveFiles(value, directory)
      : withAbsolutePaths(value, directory, done);
    // Not an assignment, because a key may be __proto__.
    Object.defineProperty(resolved, key, { value: inner, enumerable: true });
  }
  return resolved;
}

/** Makes the file names in members `…_file` of a group absolute. */
export function resolveFiles(
  group: Readonly<Record<string, unknown>>,
  directory: string,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(group).map(([key, value]) =>
      key.endsWith('_file') && typeof value === 'string' && value !== ''
        ? [key, resolve(directory, value)]
        : [key, value],
    ),
  );
}
