/** Finds the lines of values in a YAML text. */

import { EVENT_ID, type Event, getScalarValue, parseEvents, YAMLException } from 'js-yaml';

/**
 * The line of each key and list item, by its path (`destinations[0].uri`). Values from an alias or a merge
 * key have no line. Empty when the text is not YAML; JSON is YAML.
 */
export function yamlLines(text: string): ReadonlyMap<string, number> {
  try {
    return collectLines(text, parseEvents(text, {}));
  } catch (error) {
    if (error instanceof YAMLException) return new Map();
    throw error;
  }
}

/** A document, list or mapping that is not complete. */
interface OpenNode {
  readonly kind: 'document' | 'list' | 'mapping';
  readonly path: string;
  /** Number of list items so far. */
  count: number;
  /** Path of the key whose value follows; undefined before a key. */
  keyPath: string | undefined;
}

function collectLines(text: string, events: readonly Event[]): Map<string, number> {
  const lines = new Map<string, number>();
  const lineAt = lineCounter(text);
  const open: OpenNode[] = [];
  for (const event of events) {
    if (event.type === EVENT_ID.POP) {
      open.pop();
      continue;
    }
    const parent = open.at(-1);
    const path = pathOf(text, event, parent);
    // The line of a value is that of its key.
    const isValue = parent?.kind === 'mapping' && parent.keyPath !== undefined;
    if (parent !== undefined)
      parent.keyPath = parent.kind === 'mapping' && !isValue ? path : undefined;
    if (path !== '' && !isValue && !lines.has(path)) lines.set(path, lineAt(offsetOf(event)));
    const kind = KINDS.get(event.type);
    if (kind !== undefined) open.push({ kind, path, count: 0, keyPath: undefined });
  }
  return lines;
}

const KINDS: ReadonlyMap<number, OpenNode['kind']> = new Map([
  [EVENT_ID.DOCUMENT, 'document'],
  [EVENT_ID.SEQUENCE, 'list'],
  [EVENT_ID.MAPPING, 'mapping'],
] as const);

/** The path of the key or value that begins with this event. */
function pathOf(text: string, event: Event, parent: OpenNode | undefined): string {
  if (parent === undefined || parent.kind === 'document') return '';
  if (parent.kind === 'list') return `${parent.path}[${parent.count++}]`;
  if (parent.keyPath !== undefined) return parent.keyPath;
  const key = event.type === EVENT_ID.SCALAR ? getScalarValue(text, event) : '';
  return parent.path === '' ? key : `${parent.path}.${key}`;
}

function offsetOf(event: Event): number {
  if (event.type === EVENT_ID.SCALAR) return event.valueStart;
  if (event.type === EVENT_ID.ALIAS) return event.anchorStart;
  return 'start' in event ? event.start : 0;
}

/** Returns a function for the line of an offset, counted from 1. Offsets must not decrease. */
function lineCounter(text: string): (offset: number) => number {
  let line = 1;
  let next = text.indexOf('\n');
  return (offset) => {
    while (next !== -1 && next < offset) {
      line++;
      next = text.indexOf('\n', next + 1);
    }
    return line;
  };
}
