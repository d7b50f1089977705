/** The last incidents of a destination. */

import { el, grid, stateBadge } from '../dom.js';
import { formatRoute } from '../route.js';
import { clock, outcome, period } from '../words.js';

/**
 * @typedef {import('../../src/status/page-views.js').IncidentView} Incident
 *
 * @param {readonly Incident[]} incidents
 * @param {{ readonly destination: string }} destination
 */
export function incidentsPart(incidents, { destination }) {
  if (incidents.length === 0) return el('p', { class: 'faint' }, 'None is known.');
  const rows = incidents.map((incident) => {
    const { began_at, ended_at, duration, sip_code } = incident;
    return [
      stateBadge(incident),
      clock(began_at),
      ended_at === null ? el('b', {}, 'not over yet') : clock(ended_at),
      duration === null ? '–' : period(duration),
      el('span', { class: 'text' }, outcome({ ...incident, sip_code: null })),
      sip_code === null ? '–' : String(sip_code),
    ];
  });
  const href = formatRoute({ view: 'incidents', query: new URLSearchParams({ destination }) });
  return el(
    'div',
    {},
    grid('Incidents', ['State', 'Began', 'Ended', 'Duration', 'Why', 'Code'], rows),
    el('p', {}, el('a', { href }, 'All its incidents')),
  );
}
