/** Labels of the exporter's own metrics, which users cannot set. */
export const RESERVED_LABELS = [
  ...(['destination', 'transport', 'address', 'reason', 'code', 'le', 'quantile'] as const),
  ...(['uri', 'module', 'owners', 'server', 'priority', 'weight', 'phase', 'version'] as const),
  ...(['cipher', 'subject', 'issuer', 'serialnumber', 'fingerprint_sha256'] as const),
] as const;
export type ReservedLabel = (typeof RESERVED_LABELS)[number];

const RESERVED: ReadonlySet<string> = new Set(RESERVED_LABELS);
/** A name that every version of Prometheus allows; 3.0 and later allow all others, in quotes. */
const PLAIN_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const NOTHING_RENAMED: ReadonlyMap<string, string> = new Map();

/** Maximum number of labels per destination; each scrape writes them about twenty times. */
const MAX_LABELS = 100;
/** Maximum total length of their names and values. */
const MAX_CHARACTERS = 16_384;

/** What is wrong with the number or length of a destination's labels; undefined if nothing is. */
export function labelsProblem(labels: Readonly<Record<string, unknown>>): string | undefined {
  const all = Object.entries(labels);
  if (all.length > MAX_LABELS) return `expected at most ${MAX_LABELS}, got ${all.length}`;
  const characters = all.reduce((sum, [name, value]) => sum + name.length + lengthOf(value), 0);
  if (characters <= MAX_CHARACTERS) return undefined;
  return `expected at most ${MAX_CHARACTERS} characters in total, got ${characters}`;
}

function lengthOf(value: unknown): number {
  return typeof value === 'string' ? value.length : 0;
}

/**
 * Whether Prometheus allows a label of this name: any text, unless it is empty, is Prometheus's own
 * because it begins with two underscores, or has half a surrogate pair, which is no UTF-8.
 */
export function isLabelName(name: string): boolean {
  return name !== '' && !name.startsWith('__') && !/\p{Surrogate}/u.test(name);
}

/** Whether users may give a label this name. */
export function isFreeLabelName(name: string): boolean {
  return isLabelName(name) && !RESERVED.has(name);
}

/** Whether the name consists of ASCII letters, digits and underscores, and needs no quotes. */
export function isPlainLabelName(name: string): boolean {
  return PLAIN_NAME.test(name);
}

export interface ExposedLabels<Value> {
  readonly labels: Readonly<Record<string, Value>>;
  /** The names in the metrics by the given names, where they differ. */
  readonly renamed: ReadonlyMap<string, string>;
}

/**
 * Renames labels so that metrics can have them. As in Prometheus, a name that is reserved or used by
 * another label of the same set gets the prefix `exported_`, repeatedly until it is free. Valid names
 * stay.
 */
export function exposedLabels<Value>(
  labels: Readonly<Record<string, Value>>,
): ExposedLabels<Value> {
  return renamedLabels(labels, isFreeLabelName, allowed);
}

/**
 * Renames the labels that cannot keep their names. A new name that is reserved or used by another label
 * gets the prefix `exported_`, repeatedly until it is free.
 *
 * @param rename returns a valid name.
 */
export function renamedLabels<Value>(
  labels: Readonly<Record<string, Value>>,
  isKept: (name: string) => boolean,
  rename: (name: string) => string,
): ExposedLabels<Value> {
  const others = Object.keys(labels).filter((name) => !isKept(name));
  if (others.length === 0) return { labels, renamed: NOTHING_RENAMED };
  const exposed = new Map(Object.entries(labels).filter(([name]) => isKept(name)));
  const renamed = new Map<string, string>();
  // Prometheus renames the shortest first. The result must not depend on the order of the labels.
  others.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  for (const name of others) {
    let free = rename(name);
    while (exposed.has(free) || !isFreeLabelName(free)) free = `exported_${free}`;
    const value = labels[name];
    if (value !== undefined) exposed.set(free, value);
    renamed.set(name, free);
  }
  return { labels: Object.fromEntries(exposed), renamed };
}

/** Makes a name valid for Prometheus; names that begin with two underscores are reserved. */
function allowed(name: string): string {
  return name.replace(/\p{Surrogate}/gu, '\ufffd').replace(/^_+/, '_') || '_';
}
