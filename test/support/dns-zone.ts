/** What a scripted DNS server says of a zone that a test writes in lines. */

import type * as packet from 'dns-packet';
import { type Asked, FLAGS, reply, type Script } from './dns-server.js';

/** An answer of so many bytes fits into a datagram (RFC 9715 3). */
const MAX_BYTES = 1232;

/**
 * Records, each as `NAME TYPE DATA`; `NAME TYPE !SERVFAIL` for an error, `NAME TYPE !silence` for no
 * answer. What no line is about has no records. An answer that does not fit into a datagram is cut.
 */
export function zoneScript(lines: () => readonly string[], ttl = 1): Script {
  return (asked) => {
    const mine = lines().filter((line) => line.startsWith(`${asked.name} ${asked.type} `));
    const data = mine.map((line) => line.split(' ').slice(2));
    const error = data.find(([first]) => first?.startsWith('!'))?.[0]?.slice(1);
    if (error === 'silence') return [];
    if (error !== undefined) return [reply(asked, { flags: FLAGS[error as keyof typeof FLAGS] })];
    const answers = data.map((fields) => answerOf(asked, fields, ttl));
    const whole = reply(asked, { answers });
    const isCut = whole.length > MAX_BYTES && !asked.isOverTcp;
    return [isCut ? reply(asked, { flags: FLAGS.TRUNCATED }) : whole];
  };
}

function answerOf({ name, type }: Asked, fields: readonly string[], ttl: number): packet.Answer {
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
