/** Reads one registration of `uac.reg_dump`. Its password is never passed on. */

import { show } from '../../platform/values.js';
import type { ListedState } from '../../shared/kamailio.js';
import type { ListedEntry, Use } from './entry.js';
import { type Fields, fieldOf, type Located, textOf } from './fields.js';

/** Bits of `flags`. */
const [DISABLED, ONLINE] = [1, 4];

/** Fields that names may come from. */
const ATTRIBUTES = ['l_uuid', 'l_username', 'l_domain', 'r_username', 'r_domain', 'realm'] as const;

/** Reads `{l_uuid, r_domain, auth_proxy, socket, flags, diff_expires, …}`. */
export function readRegistration({ fields }: Located): ListedEntry {
  const socket = textOf(fields, 'socket');
  const named = ATTRIBUTES.map((name) => [name, textOf(fields, name)] as const);
  const values = new Map<string, string>(named.filter(([, value]) => value !== ''));
  if (socket !== '') values.set('socket', socket);
  return {
    ...{ setid: '', uri: registrarOf(fields), attributes: { values, rest: '' } },
    ...{ duid: textOf(fields, 'l_uuid'), use: useOf(fields) },
  };
}

/** The proxy that REGISTER goes to, otherwise the domain of the registrar. */
function registrarOf(fields: Fields): string {
  const proxy = textOf(fields, 'auth_proxy');
  // Older versions show a missing one as `none`.
  return proxy === '' || proxy === 'none' ? `sip:${textOf(fields, 'r_domain')}` : proxy;
}

/** Kamailio also disables a registration when the registrar rejects it, so a disabled one is monitored. */
function useOf(fields: Fields): Use {
  const [flags, seconds] = [fieldOf(fields, 'flags'), fieldOf(fields, 'diff_expires')];
  if (typeof flags !== 'number') {
    const reason = `expected flags as a number, got ${show(flags)}: whether it is registered is unknown`;
    return { kind: 'unknown', reason };
  }
  const isRegistered = (flags & ONLINE) !== 0 && !(typeof seconds === 'number' && seconds <= 0);
  const state: ListedState = flags & DISABLED ? 'disabled' : isRegistered ? 'active' : 'inactive';
  return { kind: 'known', module: 'uac', listed: { state, isProbed: false, isRegistered } };
}
