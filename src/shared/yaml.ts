/** YAML 1.2, of which JSON is a part. */

import { CORE_SCHEMA, loadAll, YAMLException } from 'js-yaml';

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
 * What the text says; undefined when it says nothing.
 *
 * @throws YamlError, whose message quotes nothing of the text: it may hold a password.
 */
export function parseYaml(text: string): unknown {
  try {
    const [document, ...more] = loadAll(text, { schema: CORE_SCHEMA });
    if (more.length === 0) return document;
    throw new YamlError(`expected one document, got ${more.length + 1}`, undefined);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const reason = error.reason.replace(/ ?!<.*>| ?".*"/gs, '');
    throw new YamlError(reason, error.mark === undefined ? undefined : error.mark.line + 1);
  }
}
