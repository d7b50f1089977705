/** Selects the incidents that a client asks for. */

import { reasonText } from '../shared/outcome.js';
import type { Incident } from './incident.js';

/** Every given condition must hold. */
export interface IncidentQuery {
  /** The name or the canonical URI of a destination. */
  readonly destination?: string | undefined;
  /** An empty value means that the label is missing or empty. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly owner?: string | undefined;
  readonly state?: Incident['state'] | undefined;
  readonly isOpen?: boolean | undefined;
  /** In lower case; each must be a part of a text of the incident. */
  readonly words: readonly string[];
  /** Only incidents with a smaller id. */
  readonly before?: number | undefined;
  /** Maximum number of incidents. */
  readonly limit: number;
}

/** Up to `limit` of the incidents, the newest first; the order of `all` may be any. */
export function select(
  all: readonly Incident[],
  query: IncidentQuery,
): { readonly page: readonly Incident[]; readonly hasMore: boolean } {
  const found = all.filter((incident) => matches(incident, query)).sort((a, b) => b.id - a.id);
  return { page: found.slice(0, query.limit), hasMore: found.length > query.limit };
}

function matches(incident: Incident, query: IncidentQuery): boolean {
  const { destination, owner, state, isOpen, before, labels, words } = query;
  return (
    (before === undefined || incident.id < before) &&
    (state === undefined || incident.state === state) &&
    (isOpen === undefined || isOpen === (incident.end === undefined)) &&
    (destination === undefined || [incident.destination, incident.uri].includes(destination)) &&
    (owner === undefined || incident.owners.includes(owner)) &&
    labels.every(([name, value]) => (incident.labels[name] ?? '') === value) &&
    (words.length === 0 || hasWords(textOf(incident), words))
  );
}

const hasWords = (text: string, words: readonly string[]) =>
  words.every((word) => text.includes(word));

const texts = new WeakMap<Incident, string>();

/** The texts that words are searched in, lower case; kept, because making 10,000 of them takes 50 ms. */
function textOf(incident: Incident): string {
  const known = texts.get(incident);
  if (known !== undefined) return known;
  const { destination, uri, state, reason, detail, sipCode, module, owners, labels } = incident;
  const parts = [
    ...[destination, uri, reason === 'draining' ? reason : state],
    ...[reason === undefined ? '' : reasonText(reason), detail, sipCode ?? '', module],
    ...[...owners, ...Object.entries(labels).map(([name, value]) => `${name}=${value}`)],
  ];
  const text = parts.join('\n').toLowerCase();
  texts.set(incident, text);
  return text;
}
