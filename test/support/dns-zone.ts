/** The script of a DNS server with a zone that a test writes in lines. */

import type * as packet from 'dns-packet';
import { FLAGS, type ReceivedQuery, reply, type Script } from './dns-server.js';

/** Maximum length of an answer in a datagram (RFC 9715 3). */
const MAX_BYTES = 1232;

/**
 * Records, each as `NAME TYPE DATA`; `NAME TYPE !SERVFAIL` for an error, `NAME TYPE !silence` for no
 * answer. Names and types without a line have no records. An answer that is too long for a datagram
 * is truncated.
 */
export function zoneScript(lines: () => readonly string[], ttl = 1): Script {
  return (query) => {
    const mine = lines().filter((line) => line.startsWith(`${query.name} ${query.type} `));
    const data = mine.map((line) => line.split(' ').slice(2));
    const error = data.find(([first]) => first?.startsWith('!'))?.[0]?.slice(1);
    if (error === 'silence') return [];
    if (error !== undefined) return [reply(query, { flags: FLAGS[error as keyof typeof FLAGS] })];
    const answers = data.map((fields) => answerOf(query, fields, ttl));
    const whole = reply(query, { answers });
    const isCut = whole.length > MAX_BYTES && !query.isOverTcp;
    return [isCut ? reply(query, { flags: FLAGS.TRUNCATED }) : whole];
  };
}

function answerOf(
  { name, type }: ReceivedQuery,
  fields: readonly string[],
  ttl: number,
): packet.Answer {
  const [a = '', b = '', c = '', d = '', e = ''] = fields;
  if (type === 'A' || type === 'AAAA') return { type, name, ttl, data: a };
  if (type === 'SRV') {
    const numbers = { priority: Number(a), weight: Number(b), port: Number(c) };
    return { type, name, ttl, data: { ...numbers, target: d } };
  }
  const numbers = { order: Number(a), preference: Number(b) };
  return {
    ...{ type: 'NAPTR', name, ttl },
    data: { ...numbers, flags: c, services: d, regexp: '', replacement: e },
  };
}
