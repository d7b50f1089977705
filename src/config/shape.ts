/** Checks the shape of the file: its keys, and whether each is a list, a mapping or a single value. */

import { isMapping, kindOf, show } from '../platform/values.js';
import { type Report, unknownKey } from './problems.js';
import { SETTINGS, SETTINGS_BY_LEVEL, STRUCTURES } from './schema.js';

type Shape = 'a list' | 'a mapping' | 'a single value';

const SHAPES: ReadonlyMap<string, Shape> = new Map(Object.entries(STRUCTURES));
const TOP: Readonly<Record<string, unknown>> = { ...SETTINGS_BY_LEVEL, ...STRUCTURES };

/**
 * Returns the part of the file with a valid shape, and reports unknown keys and values of a wrong shape. A
 * key without a value (`modules:`) is ignored.
 */
export function wellShaped(
  given: Readonly<Record<string, unknown>>,
  report: Report,
): Record<string, unknown> {
  return levelOf(given, TOP, '', report);
}

function levelOf(
  given: Readonly<Record<string, unknown>>,
  level: Readonly<Record<string, unknown>>,
  prefix: string,
  report: Report,
): Record<string, unknown> {
  const fitting: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    const path = `${prefix}${key}`;
    if (!Object.hasOwn(level, key)) report(path, unknownKey(key, knownAt(level, prefix)));
    else if (value !== null) {
      const fit = fittingValue(value, level[key], path, report);
      if (fit !== undefined) fitting[key] = fit;
    }
  }
  return fitting;
}

/** The known keys of a level, for suggestions; at the top level also the paths of all settings. */
function knownAt(level: Readonly<Record<string, unknown>>, prefix: string): readonly string[] {
  return [...Object.keys(level), ...(prefix === '' ? Object.keys(SETTINGS) : [])];
}

/** Undefined when the value has a wrong shape. */
function fittingValue(value: unknown, below: unknown, path: string, report: Report): unknown {
  const setting = Object.hasOwn(SETTINGS, path) ? SETTINGS[path] : undefined;
  if (setting?.isMapping && isMapping(value)) {
    return Object.entries(value).filter(([, inner]) => inner !== null);
  }
  const shape = SHAPES.get(path) ?? (setting === undefined ? 'a mapping' : 'a single value');
  if (!hasShape(shape, value)) {
    report(path, `expected ${shape}, got ${mayContainSecret(path) ? kindOf(value) : show(value)}`);
    return undefined;
  }
  const isGroup = shape === 'a mapping' && !SHAPES.has(path) && isMapping(below);
  return isGroup && isMapping(value) ? levelOf(value, below, `${path}.`, report) : value;
}

function hasShape(shape: Shape, value: unknown): boolean {
  if (shape === 'a list') return Array.isArray(value);
  return isMapping(value) === (shape === 'a mapping');
}

/** Whether a secret is at this path or below it. */
function mayContainSecret(path: string): boolean {
  return Object.entries(SETTINGS).some(
    ([name, { isSecret }]) => isSecret === true && `${name}.`.startsWith(`${path}.`),
  );
}
