/** Parses YAML 1.2, which includes JSON. */

import { FAILSAFE_SCHEMA, loadAll, mergeTag, nullCoreTag, YAMLException } from 'js-yaml';

/** Maximum number of values that aliases may add. */
const MAX_ALIASED_VALUES = 1_000_000;

/**
 * Scalars stay strings: `007` is not 7, and `1.0` is not 1, because only the format of a setting knows
 * whether it is a number. An empty value, `~` and `null` are null. `<<` merges mappings, as in YAML 1.1, for
 * shared settings.
 */
const SCHEMA = FAILSAFE_SCHEMA.withTags(nullCoreTag, mergeTag);

export class YamlError extends Error {
  override readonly name = 'YamlError';
  /** Counted from 1; undefined for a problem of the whole text. */
  readonly line: number | undefined;

  constructor(message: string, line: number | undefined) {
    super(message);
    this.line = line;
  }
}

/**
 * Parses a text; every scalar is a string or null. Undefined when the text is empty.
 *
 * @throws YamlError, whose message does not quote the text, because it may contain a password.
 */
export function parseYaml(text: string): unknown {
  try {
    const [document, ...more] = loadAll(text, { schema: SCHEMA });
    if (more.length > 0) {
      throw new YamlError(`expected one document, got ${more.length + 1}`, undefined);
    }
    checkAliases(document);
    return document;
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const isTag = /\btag\b/.test(error.reason);
    const reason = isTag
      ? 'expected no tag: a value that begins with ! needs quotes'
      : error.reason.replace(/ ?!<.*>| ?".*"|: .*/gs, '');
    throw new YamlError(reason, error.mark === undefined ? undefined : error.mark.line + 1);
  }
}

/**
 * Limits the values that aliases add: ten lines with aliases can expand to billions of values.
 *
 * @throws YamlError when an alias contains itself, or aliases add too many values.
 */
function checkAliases(document: unknown): void {
  let written = 0;
  /** Number of values in each structure with its aliases expanded; undefined while it is being counted. */
  const sizes = new Map<object, number | undefined>();
  const sizeOf = (value: unknown): number => {
    if (typeof value !== 'object' || value === null) {
      written++;
      return 1;
    }
    if (sizes.has(value)) {
      const known = sizes.get(value);
      if (known === undefined) throw new YamlError('an alias contains itself', undefined);
      return known;
    }
    sizes.set(value, undefined);
    written++;
    let size = 1;
    for (const inner of Object.values(value)) size += sizeOf(inner);
    sizes.set(value, size);
    return size;
  };
  if (sizeOf(document) <= written + MAX_ALIASED_VALUES) return;
  const expected = `aliases with at most ${MAX_ALIASED_VALUES} values`;
  throw new YamlError(`expected ${expected}, got more`, undefined);
}
