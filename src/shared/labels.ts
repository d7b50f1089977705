/** Labels of the exporter's own metrics, which users cannot set. */
export const RESERVED_LABELS = [
  ...(['destination', 'transport', 'address', 'reason', 'code', 'le', 'quantile'] as const),
  ...(['uri', 'module', 'owners', 'server', 'priority', 'weight', 'phase', 'version'] as const),
  ...(['cipher', 'subject', 'issuer', 'serialnumber', 'fingerprint_sha256'] as const),
] as const;
export type ReservedLabel = (typeof RESERVED_LABELS)[number];

const RESERVED: ReadonlySet<string> = new Set(RESERVED_LABELS);
const LABEL_NAME = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;
const NOTHING_RENAMED: ReadonlyMap<string, string> = new Map();

/** Labels of one destination; each scrape writes them about twenty times. */
const MAX_LABELS = 100;
/** Total length of their names and values. */
const MAX_CHARACTERS = 16_384;

/** The problem with the number or length of a destination's labels; undefined without one. */
export function labelsFault(labels: Readonly<Record<string, unknown>>): string | undefined {
  const all = Object.entries(labels);
  if (all.length > MAX_LABELS) return `expected at most ${MAX_LABELS}, got ${all.length}`;
  const characters = all.reduce((sum, [name, value]) => sum + name.length + lengthOf(value), 0);
  if (characters <= MAX_CHARACTERS) return undefined;
  return `expected at most ${MAX_CHARACTERS} characters in all, got ${characters}`;
}

function lengthOf(value: unknown): number {
  return typeof value === 'string' ? value.length : 0;
}

/** Whether users may give a label this name. */
export function isFreeLabelName(name: string): boolean {
  return LABEL_NAME.test(name) && !RESERVED.has(name);
}

export interface ExposedLabels<Value> {
  readonly labels: Readonly<Record<string, Value>>;
  /** From the given name to the name in the metrics. */
  readonly renamed: ReadonlyMap<string, string>;
}

/**
 * Labels under names that metrics can have. As in Prometheus, every character that a name cannot
 * have becomes `_` (`service.name` is `service_name`), and a name that is reserved or taken by
 * another label of the same set gets `exported_` in front, again until it is free.
 * Names that need no change keep theirs.
 */
export function exposedLabels<Value>(
  labels: Readonly<Record<string, Value>>,
): ExposedLabels<Value> {
  const others = Object.keys(labels).filter((name) => !isFreeLabelName(name));
  if (others.length === 0) return { labels, renamed: NOTHING_RENAMED };
  const exposed = new Map(Object.entries(labels).filter(([name]) => isFreeLabelName(name)));
  const renamed = new Map<string, string>();
  // Prometheus renames the shortest first; the order within the list is not to matter.
  others.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  for (const name of others) {
    let free = sanitized(name);
    while (exposed.has(free) || !isFreeLabelName(free)) free = `exported_${free}`;
    const value = labels[name];
    if (value !== undefined) exposed.set(free, value);
    renamed.set(name, free);
  }
  return { labels: Object.fromEntries(exposed), renamed };
}

/** Names that begin with two underscores are Prometheus's own. */
function sanitized(name: string): string {
  const replaced = name.replace(/[^a-zA-Z0-9_]/gu, '_').replace(/^_+/, '_');
  return /^[a-zA-Z_]/.test(replaced) ? replaced : `_${replaced}`;
}
