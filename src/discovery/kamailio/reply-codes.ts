/** Converts Kamailio's `ds_ping_reply_codes` to the setting `alive_codes`. */

import type { Report } from '../remark.js';

/** Such as `code=403` or `class="3"`. */
const ITEM = /^(code|class)=(["']?)(\d{1,9})\2$/i;

/**
 * Reads `class=2;code=403`. Like Kamailio, accepts 2xx in any case. Returns `2xx,403`.
 */
export function aliveCodesOf(text: string, report: Report): string {
  const codes = new Set(['2xx']);
  for (const item of text.split(';').map((one) => one.trim())) {
    if (item === '') continue;
    const code = codeOf(item, report);
    if (code !== undefined) codes.add(code);
  }
  return [...codes].join(',');
}

function codeOf(item: string, report: Report): string | undefined {
  const [, kind = '', , digits = ''] = ITEM.exec(item) ?? [];
  const isClass = kind.toLowerCase() === 'class';
  const number = Number(digits);
  const [min, max] = isClass ? [1, 6] : [100, 699];
  const got = JSON.stringify(item.slice(0, 120));
  if (digits === '' || number < min || number > max) {
    report('adjusted', `ds_ping_reply_codes: expected code=NNN or class=N, got ${got}`);
    return undefined;
  }
  if (isClass ? number === 1 : number < 200) {
    report('adjusted', `ds_ping_reply_codes: expected final responses, got ${got}`);
    return undefined;
  }
  if (isClass ? number === 4 : number === 408) {
    const meaning = 'here a timeout is a failure, in Kamailio it is a 408 and counts as alive';
    report('adjusted', `ds_ping_reply_codes: ${item}: ${meaning}`);
  }
  return isClass ? `${number}xx` : String(number);
}
