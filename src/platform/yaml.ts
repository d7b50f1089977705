/** YAML 1.2, of which JSON is a part. */

import { FAILSAFE_SCHEMA, loadAll, mergeTag, nullCoreTag, YAMLException } from 'js-yaml';

/** How many values aliases may add to those that are written out. */
const MAX_ALIASED_VALUES = 1_000_000;

/**
 * Scalars stay texts: `007` is not 7, and `1.0` is not 1, because only the reader of a value knows
 * whether it is a number. An empty value, `~` and `null` are null. `<<` merges mappings, as in YAML
 * 1.1, for shared settings.
 */
const SCHEMA = FAILSAFE_SCHEMA.withTags(nullCoreTag, mergeTag);

export class YamlError extends Error {
  override readonly name = 'YamlError';
  /** Counted from 1; undefined when it is the text as a whole. */
  readonly line: number | undefined;

  constructor(message: string, line: number | undefined) {
    super(message);
    this.line = line;
  }
}

/**
 * What the text says, every scalar as a text or null; undefined when it says nothing.
 *
 * @throws YamlError, whose message quotes nothing of the text: it may hold a password.
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
      ? 'expected no tag: a value that begins with ! stands in quotes'
      : error.reason.replace(/ ?!<.*>| ?".*"|: .*/gs, '');
    throw new YamlError(reason, error.mark === undefined ? undefined : error.mark.line + 1);
  }
}

/**
 * An alias costs nothing to parse and everything to use: ten lines can stand for billions of values.
 *
 * @throws YamlError when aliases lead in a circle, or to too many values.
 */
function checkAliases(document: unknown): void {
  let written = 0;
  /** Values that each structure comes to with its aliases replaced; undefined while that is counted. */
  const sizes = new Map<object, number | undefined>();
  const sizeOf = (value: unknown): number => {
    if (typeof value !== 'object' || value === null) {
      written++;
      return 1;
    }
    if (sizes.has(value)) {
      const known = sizes.get(value);
      if (known === undefined) throw new YamlError('an alias leads to itself', undefined);
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
  const wanted = `aliases that stand for at most ${MAX_ALIASED_VALUES} values`;
  throw new YamlError(`expected ${wanted}, got more`, undefined);
}
