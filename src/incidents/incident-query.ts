/** Selects the incidents that a client asks for. */

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
  const { destination, owner, state, isOpen, before, labels } = query;
  return (
    (before === undefined || incident.id < before) &&
    (state === undefined || incident.state === state) &&
    (isOpen === undefined || isOpen === (incident.end === undefined)) &&
    (destination === undefined || [incident.destination, incident.uri].includes(destination)) &&
    (owner === undefined || incident.owners.includes(owner)) &&
    labels.every(([name, value]) => (incident.labels[name] ?? '') === value)
  );
}
