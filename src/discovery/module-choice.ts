/** Chooses the modules of destinations by the settings `modules` and `module_from` of their source. */

import type { CommonSettings } from '../config/source-settings.js';
import { show } from '../platform/values.js';
import { type Parts, valuesOf } from './origins.js';

export interface ModuleChoosing extends Pick<CommonSettings, 'modules' | 'moduleFrom'> {
  /** Why there is no such module; undefined if there is. */
  readonly moduleProblem: (name: string) => string | undefined;
}

/**
 * The module of a destination; undefined for the default of its source. A label with several values
 * (`setid="1,2"`) may match with each.
 *
 * @param report receives why a value is not used.
 */
export function moduleOf(
  parts: Parts,
  { modules, moduleFrom, moduleProblem }: ModuleChoosing,
  report: (reason: string) => void,
): string | undefined {
  for (const [label, byValue] of Object.entries(modules)) {
    const origin = { text: `modules.${label}`, kind: 'label', name: label } as const;
    const [value] = valuesOf(origin, parts);
    if (value === undefined) continue;
    const values = Object.hasOwn(byValue, value) ? [value] : value.split(',');
    const matches = values.flatMap((one) => (Object.hasOwn(byValue, one) ? [byValue[one]] : []));
    const module = firstOf(matches, origin.text, report);
    if (module !== undefined) return module;
  }
  if (moduleFrom === undefined) return undefined;
  const known = valuesOf(moduleFrom, parts).filter((name) => {
    const problem = moduleProblem(name);
    if (problem !== undefined) report(`${moduleFrom.text}: ${problem}: not used`);
    return problem === undefined;
  });
  return firstOf(known, moduleFrom.text, report);
}

/** The first one; reported if there are different ones. */
function firstOf(
  modules: readonly (string | undefined)[],
  text: string,
  report: (reason: string) => void,
): string | undefined {
  const different = [...new Set(modules)];
  const [first] = different;
  if (different.length > 1) {
    const got = different.map(show).join(' and ');
    report(`${text}: expected one module, got ${got}: ${show(first)} is used`);
  }
  return first;
}
