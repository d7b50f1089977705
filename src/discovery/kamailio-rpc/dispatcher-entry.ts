/** Reads one destination of `dispatcher.list`. */

import { isMapping, show } from '../../platform/values.js';
import type { ListedState } from '../../shared/kamailio.js';
import { type Attributes, readAttributes } from '../dispatcher/attributes.js';
import type { ListedEntry, Use } from './entry.js';
import { type Fields, fieldOf, type Located, textOf } from './fields.js';

const STATES: ReadonlyMap<string, ListedState> = new Map([
  ['A', 'active'],
  ['I', 'inactive'],
  ['D', 'disabled'],
  ['T', 'trying'],
]);

/** Fields of `ATTRS` that are attributes, in case `BODY` is missing. */
const ATTRIBUTES = ['DUID', 'SOCKET', 'SOCKNAME', 'OBPROXY'] as const;

/** Reads `{URI, FLAGS, ATTRS: {BODY, DUID, …}}` within `{ID, TARGETS}`. */
export function readDispatcherEntry({ fields, around }: Located): ListedEntry {
  const setid = setidOf(around);
  const attributes = attributesOf(fieldOf(fields, 'ATTRS'));
  return {
    ...{ setid, uri: String(fieldOf(fields, 'URI')), attributes },
    ...{ duid: attributes.values.get('duid') ?? '', use: useOf(fields, setid) },
  };
}

/** The set is the innermost mapping with a number as `ID`. */
function setidOf(around: readonly Fields[]): string {
  const id = around.map((fields) => fieldOf(fields, 'ID')).findLast((value) => value !== undefined);
  return typeof id === 'number' || typeof id === 'string' ? String(id) : '';
}

function attributesOf(attrs: unknown): Attributes {
  if (!isMapping(attrs)) return { values: new Map(), rest: '' };
  const { values, rest } = readAttributes(textOf(attrs, 'BODY'));
  const missing = ATTRIBUTES.map((name) => [name.toLowerCase(), textOf(attrs, name)] as const);
  const added = missing.filter(([name, value]) => value !== '' && !values.has(name));
  return { values: added.length === 0 ? values : new Map([...values, ...added]), rest };
}

/** The first letter of FLAGS is the state; the second P (pinged), X (not pinged now) or N (never pinged). */
function useOf(fields: Fields, setid: string): Use {
  const flags = textOf(fields, 'FLAGS');
  const state = STATES.get(flags.charAt(0));
  const unknown = (reason: string): Use => ({ kind: 'unknown', reason });
  if (state === undefined) {
    return unknown(`expected FLAGS such as AP, got ${show(flags)}: its state is unknown`);
  }
  if (!/^-?\d{1,10}$/.test(setid)) {
    return unknown(`expected a set with a number, got ${show(setid)}: its state is unknown`);
  }
  const listed = { state, isProbed: flags.charAt(1) === 'P' };
  const use = { kind: 'known', module: 'dispatcher', listed } as const;
  if (state === 'disabled') return { ...use, skipped: 'disabled in Kamailio (flag D)' };
  if (flags.charAt(1) === 'N') return { ...use, skipped: 'not to be pinged (flag N)' };
  return use;
}
