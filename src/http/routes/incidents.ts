/** `GET /api/v1/incidents` */

import type { Request, RequestHandler } from 'express';
import type { IncidentQuery } from '../../incidents/incident-query.js';
import { show } from '../../platform/values.js';
import type { IncidentsView } from '../../status/page-views.js';
import { queryBoolean, queryInteger, queryOneOf, queryText, queryTexts } from '../query.js';
import { RequestError } from '../request-error.js';
import { sendJson } from '../server/compression.js';

const DEFAULT_LIMIT = 100;
const MAX_INCIDENTS = 1_000;
/** Characters of `q`. */
const MAX_SEARCH = 200;

export interface IncidentSource {
  list(query: IncidentQuery): IncidentsView;
}

export function incidentsHandler(incidents: IncidentSource): RequestHandler {
  return async (request, response) => {
    try {
      await sendJson(request, response, incidents.list(incidentQuery(request)));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      response.status(error.status).json({ error: error.message });
    }
  };
}

/** @throws RequestError */
function incidentQuery(request: Request): IncidentQuery {
  return {
    destination: queryText(request, 'destination'),
    words: wordsIn(queryText(request, 'q') ?? ''),
    labels: queryTexts(request, 'label').map(labelOf),
    owner: queryText(request, 'owner'),
    state: queryOneOf(request, 'state', ['down', 'unknown']),
    isOpen: queryBoolean(request, 'open'),
    before: queryInteger(request, 'before', Number.MAX_SAFE_INTEGER),
    limit: queryInteger(request, 'limit', MAX_INCIDENTS) ?? DEFAULT_LIMIT,
  };
}

/** @throws RequestError */
function wordsIn(search: string): readonly string[] {
  if (search.length > MAX_SEARCH) {
    throw new RequestError(
      400,
      `q: expected at most ${MAX_SEARCH} characters, got ${search.length}`,
    );
  }
  return search.toLowerCase().split(/\s+/).filter(Boolean);
}

function labelOf(text: string): readonly [name: string, value: string] {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name !== undefined && value !== undefined) return [name, value];
  throw new RequestError(400, `label: expected NAME=VALUE, got ${show(text)}`);
}
