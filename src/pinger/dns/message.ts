/**
 * DNS messages, by `dns-packet`: queries that answers can be held against, and what an answer says.
 * Node's own resolver tells no TTL of SRV and NAPTR records, which is why it is not asked.
 */

import * as packet from 'dns-packet';
import type { DnsAnswer, DnsRecord, RecordType } from './records.js';

/** RFC 9715 3: answers up to this size, in bytes, are asked for over UDP. */
const UDP_PAYLOAD = 1232;
/** Aliases that are followed, one after the other. */
const MOST_ALIASES = 8;

export interface Query {
  readonly id: number;
  readonly name: string;
  readonly type: RecordType;
}

/** The bytes of a query. */
export function encodeQuery({ id, name, type }: Query): Buffer {
  return packet.encode({
    type: 'query',
    id,
    flags: packet.RECURSION_DESIRED,
    questions: [{ type, name }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: UDP_PAYLOAD,
        flags: 0,
        extendedRcode: 0,
        ednsVersion: 0,
        flag_do: false,
        options: [],
      },
    ],
  });
}

/** Whether the message carries the query's number: what many wait for is read by one. */
export function isFor(bytes: Buffer, { id }: Query): boolean {
  return bytes.length >= 2 && bytes.readUInt16BE(0) === id;
}

/** The answer to the query in these bytes; undefined when they are none, or one to another query. */
export function decodeAnswer(bytes: Buffer, query: Query): packet.DecodedPacket | undefined {
  let decoded: packet.DecodedPacket;
  try {
    decoded = packet.decode(bytes);
  } catch {
    return undefined;
  }
  const [question, ...others] = decoded.questions ?? [];
  const isOurs =
    decoded.type === 'response' &&
    decoded.id === query.id &&
    others.length === 0 &&
    question?.type === query.type &&
    plain(question.name) === plain(query.name);
  return isOurs ? decoded : undefined;
}

export type Meaning =
  | DnsAnswer
  /** The answer did not fit; it can be had over TCP. */
  | { readonly kind: 'truncated' }
  /** The name is another's alias, and the server did not follow it. */
  | { readonly kind: 'alias'; readonly name: string; readonly ttlSeconds: number };

/** What an answer says of the name that was asked for. */
export function meaningOf(answer: packet.DecodedPacket, { name, type }: Query): Meaning {
  if (answer.flag_tc) return { kind: 'truncated' };
  const { rcode } = answer as packet.DecodedPacket & { readonly rcode: string };
  if (rcode === 'NXDOMAIN') return { kind: 'failed', reason: 'nxdomain', detail: '' };
  if (rcode === 'REFUSED') return { kind: 'failed', reason: 'refused', detail: '' };
  if (rcode !== 'NOERROR') return { kind: 'failed', reason: 'servfail', detail: rcode };
  return follow(answer.answers ?? [], plain(name), type);
}

function follow(answers: readonly packet.Answer[], name: string, type: RecordType): Meaning {
  let at = name;
  let ttlSeconds = Number.POSITIVE_INFINITY;
  for (let aliases = 0; aliases <= MOST_ALIASES; aliases++) {
    const records = answers.flatMap((answer) => {
      const record = plain(answer.name) === at ? recordOf(answer, type) : undefined;
      return record === undefined ? [] : [record];
    });
    if (records.length > 0) {
      const smallest = Math.min(ttlSeconds, ...records.map((record) => record.ttlSeconds));
      return { kind: 'records', records, ttlSeconds: smallest };
    }
    const alias = answers.find((a) => a.type === 'CNAME' && plain(a.name) === at);
    if (alias?.type !== 'CNAME') {
      if (at === name) return { kind: 'failed', reason: 'nodata', detail: '' };
      return { kind: 'alias', name: at, ttlSeconds };
    }
    ttlSeconds = Math.min(ttlSeconds, alias.ttl ?? 0);
    at = plain(alias.data);
  }
  return { kind: 'failed', reason: 'servfail', detail: 'one alias leads to the other' };
}

function recordOf(answer: packet.Answer, type: RecordType): DnsRecord | undefined {
  if (answer.type !== type) return undefined;
  switch (answer.type) {
    case 'A':
    case 'AAAA':
      return { type: answer.type, address: answer.data, ttlSeconds: answer.ttl ?? 0 };
    case 'SRV': {
      const { priority = 0, weight = 0, port, target } = answer.data;
      const ttlSeconds = answer.ttl ?? 0;
      return { type: 'SRV', priority, weight, port, target: plain(target), ttlSeconds };
    }
    case 'NAPTR': {
      const { order, preference, flags, services, replacement } = answer.data;
      return {
        ...{ type: 'NAPTR', order, preference, flags: flags.toLowerCase() },
        ...{ service: services.toUpperCase(), replacement: plain(replacement) },
        ttlSeconds: answer.ttl ?? 0,
      };
    }
    default:
      return undefined;
  }
}

/** A name as it is compared: lower case, without its last dot. */
export function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
