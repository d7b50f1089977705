/** What the Kamailios that are read believe about one destination. */

import type { Section } from '../builders/board.js';
import { toRunbook } from '../builders/links.js';
import * as looks from '../builders/looks.js';
import { rowsTable, timeline } from '../builders/panels.js';
import { rows, series } from '../builders/queries.js';
import { ONE } from './selection.js';

const { UNITS } = looks;
const NOT_LISTED = 'In no list of a Kamailio that is read (discovery.kamailio_rpc)';
const SET = 'kamailio, setid';

/** The one state that is 1, as a number. */
const inKamailio = ['active', 'inactive', 'disabled', 'trying']
  .map((name, i) => {
    const isSo = `max by (${SET}) (sip_keepalive_kamailio_state{${ONE},state="${name}"}) == 1`;
    return i === 0 ? isSo : `${i + 1} * (${isSo})`;
  })
  .join(' or ');

export const kamailio: Section = {
  title: 'In Kamailio',
  panels: [
    timeline({
      title: 'State in Kamailio',
      description:
        'How each Kamailio has the destination in each of its sets. It routes to it while it is active or trying.',
      ...{ empty: NOT_LISTED, span: 12, height: 7, mappings: looks.KAMAILIO_STATES },
      queries: [series(inKamailio, '{{kamailio}}, set {{setid}}')],
    }),
    rowsTable({
      title: 'Sets and registration',
      description:
        'For how long a Kamailio has routed to the destination although it is down, or left it out although it is up; and whether it is registered there (module uac).',
      ...{ empty: NOT_LISTED, span: 12, height: 7 },
      runbook: 'SipKeepaliveKamailioRoutesToDown',
      panelLinks: [toRunbook('SipKeepaliveKamailioNotRegistered')],
      queries: [
        rows(inKamailio),
        rows(`max by (${SET}, kind) (sip_keepalive_kamailio_disagreement_seconds{${ONE}})`),
        rows(`max by (kamailio) (sip_keepalive_kamailio_registered{${ONE}})`),
      ],
      columns: [
        ['kamailio', 'Kamailio'],
        ['setid', 'Set'],
        ['Value #A', 'State', looks.mapped(looks.KAMAILIO_STATES)],
        ['kind', 'Disagreement'],
        ['Value #B', 'For', looks.unit(UNITS.seconds)],
        ['Value #C', 'Registered', looks.mapped(looks.YES_OR_NO)],
      ],
    }),
  ],
};
