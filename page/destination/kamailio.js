/** What running Kamailios believe about a destination. */

import { el, grid } from '../dom.js';
import { ago } from '../words.js';

/**
 * @typedef {import('../../src/status/views.js').KamailioView} KamailioView
 *
 * @param {readonly KamailioView[]} kamailios
 * @param {number} now
 */
export function kamailioParts(kamailios, now) {
  if (kamailios.length === 0) return [];
  const rows = kamailios.map((one) => [
    one.kamailio,
    one.setid === null ? one.module : `${one.module} set ${one.setid}`,
    one.uri,
    one.registered === null ? one.state : one.registered ? 'registered' : 'not registered',
    disagreementText(one, now),
    one.probed ? 'yes' : 'no',
  ]);
  const head = ['Kamailio', 'List', 'URI', 'State there', 'Agrees', 'Pinged by it'];
  return [el('h2', {}, 'In Kamailio'), grid('In Kamailio', head, rows)];
}

/**
 * @param {KamailioView} view
 * @param {number} now
 */
function disagreementText({ module, disagreement, disagreement_since }, now) {
  if (module === 'uac') return '–';
  if (disagreement === null) return 'yes';
  const what =
    disagreement === 'routes_to_down'
      ? 'routes to it although it is down'
      : 'leaves it out although it is up';
  return `no: ${what}, for ${ago(disagreement_since, now)}`;
}
