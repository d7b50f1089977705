/**
 * DNS messages, by `dns-packet`: queries that answers can be held against, and what an answer says.
 * Node's own resolver tells no TTL of SRV and NAPTR records, which is why it is not asked.
 */

import * as packet from 'dns-packet';
import { HEADER_BYTES, hasValidStructure } from './message-structure.js';
import type { DnsAnswer, DnsRecord, RecordType } from './records.js';

/** RFC 9715 3: answers up to this size, in bytes, are asked for over UDP. */
const UDP_PAYLOAD = 1232;
/** Bits of the header (RFC 1035 4.1.1). */
const RESPONSE = 1 << 15;
const OPCODE = 0xf << 11;
const NOERROR = 0;
const NXDOMAIN = 3;
/** RFC 6895 2.3, RFC 6891 9, RFC 7873 8. */
const RCODES: ReadonlyMap<number, string> = new Map([
  ...([
    [1, 'FORMERR'],
    [2, 'SERVFAIL'],
    [4, 'NOTIMP'],
    [5, 'REFUSED'],
    [6, 'YXDOMAIN'],
  ] as const),
  ...([
    [7, 'YXRRSET'],
    [8, 'NXRRSET'],
    [9, 'NOTAUTH'],
    [10, 'NOTZONE'],
    [16, 'BADVERS'],
  ] as const),
  [23, 'BADCOOKIE'],
]);
/** Aliases that are followed, one after the other. */
export const MAX_ALIASES = 8;
export const ALIAS_LOOP = 'aliases that lead to no end';

export interface Question {
  readonly name: string;
  readonly type: RecordType;
}

/** The bytes of a query; with an OPT record (RFC 6891) where the server is thought to take one. */
export function encodeQuery(id: number, { name, type }: Question, withOpt: boolean): Buffer {
  return packet.encode({
    type: 'query',
    id,
    flags: packet.RECURSION_DESIRED,
    questions: [{ type, name }],
    additionals: withOpt ? [OPT] : [],
  });
}

const OPT: packet.OptAnswer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: UDP_PAYLOAD,
  flags: 0,
  extendedRcode: 0,
  ednsVersion: 0,
  flag_do: false,
  options: [],
};

/** What one message of a server says. */
export type ParsedAnswer =
  | Extract<DnsAnswer, { kind: 'records' }>
  /** It is certain that there is no such name, or no such record. */
  | { readonly kind: 'absent'; readonly reason: 'nxdomain' | 'nodata' }
  /** The answer did not fit; it can be had over TCP. */
  | { readonly kind: 'truncated' }
  /** The name is another's alias, and the server did not follow it. */
  | { readonly kind: 'alias'; readonly name: string; readonly ttlSeconds: number }
  /** The server does not answer the question. */
  | {
      readonly kind: 'error';
      /** A name of RFC 6895 2.3, or what is wrong in words. */
      readonly what: string;
      /** Without the OPT record in the query the server may answer. */
      readonly isAboutOpt: boolean;
    };

/** The number of the query that the message answers; undefined when it is no DNS message. */
export function idOf(bytes: Buffer): number | undefined {
  return bytes.length < HEADER_BYTES ? undefined : bytes.readUInt16BE(0);
}

/**
 * What an answer says of the question; undefined when it is no answer to it, or cannot be read. That
 * it carries the number of the query is for the caller to see to.
 *
 * Servers that do not know a part of the query answer with the header alone, with or without a count
 * of questions in it (RFC 6891 7), and a truncated answer may end in the middle of a record (RFC 2181
 * 9): of both the header is enough.
 */
export function parseAnswer(bytes: Buffer, question: Question): ParsedAnswer | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const flags = bytes.readUInt16BE(2);
  const isAnswer = (flags & RESPONSE) !== 0 && (flags & OPCODE) === 0;
  if (!isAnswer) return undefined;
  const answer = decode(bytes);
  const opt = answer?.additionals?.find((record) => record.type === 'OPT');
  // RFC 6891 6.1.3: the upper eight bits are in the OPT record.
  const rcode = (flags & 0xf) | ((opt?.extendedRcode ?? 0) << 4);
  const isError = rcode !== NOERROR && rcode !== NXDOMAIN;
  if (answer !== undefined && !repeats(answer, question, isError)) return undefined;
  if ((flags & packet.TRUNCATED_RESPONSE) !== 0 && !isError) return { kind: 'truncated' };
  if (isError) return errorOf(rcode, opt !== undefined);
  if (answer === undefined) return undefined;
  return rcode === NXDOMAIN ? { kind: 'absent', reason: 'nxdomain' } : said(answer, question);
}

function decode(bytes: Buffer): packet.DecodedPacket | undefined {
  if (!hasValidStructure(bytes)) return undefined;
  try {
    return packet.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Whether the answer has our question; one that only says what is wrong may have none. */
function repeats(
  { questions = [] }: packet.DecodedPacket,
  { name, type }: Question,
  isError: boolean,
): boolean {
  const [first] = questions;
  if (first === undefined) return isError;
  return questions.length === 1 && first.type === type && plain(first.name) === plain(name);
}

/** RFC 6891 7: what servers say that know nothing of OPT, or not of its version. */
function errorOf(rcode: number, hasOpt: boolean): ParsedAnswer {
  const what = RCODES.get(rcode) ?? `RCODE ${rcode}`;
  // A server that knows OPT puts one into its answer, and means the question when it fails.
  const isAboutOpt =
    what === 'FORMERR' ||
    what === 'NOTIMP' ||
    what === 'BADVERS' ||
    (what === 'SERVFAIL' && !hasOpt);
  return { kind: 'error', what, isAboutOpt };
}

function said(answer: packet.DecodedPacket, { name, type }: Question): ParsedAnswer {
  const { answers = [], authorities = [] } = answer;
  const meaning = follow(answers, plain(name), type);
  // RFC 2308 2.1 and 2.2: who knows that there is none puts a SOA record there or nothing; NS records
  // alone point to servers that may know.
  const isReferral =
    answers.length === 0 &&
    !answer.flag_aa &&
    authorities.some((record) => record.type === 'NS') &&
    !authorities.some((record) => record.type === 'SOA');
  return isReferral ? { kind: 'error', what: 'a referral', isAboutOpt: false } : meaning;
}

function follow(answers: readonly packet.Answer[], name: string, type: RecordType): ParsedAnswer {
  let at = name;
  let ttlSeconds = Number.POSITIVE_INFINITY;
  for (let aliases = 0; aliases <= MAX_ALIASES; aliases++) {
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
      if (at === name) return { kind: 'absent', reason: 'nodata' };
      return { kind: 'alias', name: at, ttlSeconds };
    }
    ttlSeconds = Math.min(ttlSeconds, ttlOf(alias));
    at = plain(alias.data);
  }
  return { kind: 'error', what: ALIAS_LOOP, isAboutOpt: false };
}

function recordOf(answer: packet.Answer, type: RecordType): DnsRecord | undefined {
  if (answer.type !== type || answer.class !== 'IN') return undefined;
  const ttlSeconds = ttlOf(answer);
  switch (answer.type) {
    case 'A':
    case 'AAAA':
      return { type: answer.type, address: answer.data, ttlSeconds };
    case 'SRV': {
      const { priority = 0, weight = 0, port, target } = answer.data;
      return { type: 'SRV', priority, weight, port, target: plain(target), ttlSeconds };
    }
    case 'NAPTR': {
      const { order, preference, flags, services, replacement } = answer.data;
      return {
        ...{ type: 'NAPTR', order, preference, flags: flags.toLowerCase() },
        ...{ service: services.toUpperCase(), replacement: plain(replacement) },
        ttlSeconds,
      };
    }
    default:
      return undefined;
  }
}

/** RFC 2181 8: a TTL with its top bit set is one of 0. */
function ttlOf({ ttl = 0 }: { readonly ttl?: number | undefined }): number {
  return ttl < 2 ** 31 ? ttl : 0;
}

/** A name as it is compared: lower case, without its last dot. */
export function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
