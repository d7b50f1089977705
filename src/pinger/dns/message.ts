/**
 * DNS messages, encoded and decoded by `dns-packet`. The resolver of Node.js is not used because it does
 * not return the TTL of SRV and NAPTR records.
 */

import * as packet from 'dns-packet';
import { HEADER_BYTES, hasValidStructure } from './message-structure.js';
import type { DnsAnswer, DnsRecord, RecordType } from './records.js';

/** RFC 9715 3: the maximum size of a UDP answer to announce, in bytes. */
const UDP_PAYLOAD = 1232;
/** Bits of the header (RFC 1035 4.1.1). */
const RESPONSE = 1 << 15;
const OPCODE = 0xf << 11;
const NOERROR = 0;
const NXDOMAIN = 3;
/** Names of response codes (RFC 6895 2.3, RFC 6891 9, RFC 7873 8). */
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
/** Maximum number of CNAME records that are followed in a row. */
export const MAX_ALIASES = 8;
export const TOO_MANY_ALIASES = `a chain of more than ${MAX_ALIASES} CNAME records`;

export interface Question {
  readonly name: string;
  readonly type: RecordType;
  /** The host of the destination, for debug lines. */
  readonly host?: string;
}

/** @param withOpt adds an OPT record (RFC 6891). */
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

/** The content of one message from a server. */
export type ParsedAnswer =
  | Extract<DnsAnswer, { kind: 'records' }>
  /** A negative answer (RFC 2308): there is no such name, or no such record. */
  | { readonly kind: 'absent'; readonly reason: 'nxdomain' | 'nodata' }
  /** The answer did not fit into a datagram; the server has it over TCP. */
  | { readonly kind: 'truncated' }
  /** The name is an alias that the server did not follow. */
  | { readonly kind: 'alias'; readonly name: string; readonly ttlSeconds: number }
  /** The server does not answer the question. */
  | {
      readonly kind: 'error';
      /** A name from RFC 6895 2.3, or another noun phrase. */
      readonly what: string;
      /** The server may answer a query without an OPT record. */
      readonly isAboutOpt: boolean;
    };

/** The ID of the message; undefined when it is too short for a DNS header. */
export function idOf(bytes: Buffer): number | undefined {
  return bytes.length < HEADER_BYTES ? undefined : bytes.readUInt16BE(0);
}

/**
 * Parses a message; undefined when it does not answer the question or is malformed. The caller has checked
 * the ID.
 *
 * For errors and truncated answers the header is enough: a server that does not understand a query may
 * send only the header, which may still declare a question (RFC 6891 7), and a truncated answer may end
 * within a record (RFC 2181 9).
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
  if (answer !== undefined && !hasQuestion(answer, question, isError)) return undefined;
  if ((flags & packet.TRUNCATED_RESPONSE) !== 0 && !isError) return { kind: 'truncated' };
  if (isError) return errorOf(rcode, opt !== undefined);
  if (answer === undefined) return undefined;
  return rcode === NXDOMAIN ? { kind: 'absent', reason: 'nxdomain' } : contentOf(answer, question);
}

function decode(bytes: Buffer): packet.DecodedPacket | undefined {
  if (!hasValidStructure(bytes)) return undefined;
  try {
    return packet.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Whether the answer repeats the question; an error may omit it. */
function hasQuestion(
  { questions = [] }: packet.DecodedPacket,
  { name, type }: Question,
  isError: boolean,
): boolean {
  const [first] = questions;
  if (first === undefined) return isError;
  return (
    questions.length === 1 &&
    first.type === type &&
    canonicalName(first.name) === canonicalName(name)
  );
}

/** RFC 6891 7: errors of servers that do not support OPT or its version. */
function errorOf(rcode: number, hasOpt: boolean): ParsedAnswer {
  const what = RCODES.get(rcode) ?? `RCODE ${rcode}`;
  // A server that supports OPT includes an OPT record, so its SERVFAIL is about the question.
  const isAboutOpt =
    what === 'FORMERR' ||
    what === 'NOTIMP' ||
    what === 'BADVERS' ||
    (what === 'SERVFAIL' && !hasOpt);
  return { kind: 'error', what, isAboutOpt };
}

function contentOf(answer: packet.DecodedPacket, { name, type }: Question): ParsedAnswer {
  const { answers = [], authorities = [] } = answer;
  const content = recordsFor(answers, canonicalName(name), type);
  // RFC 2308 2.1, 2.2: a negative answer has a SOA record or no authority records at all; NS records
  // without SOA refer to other servers.
  const isReferral =
    answers.length === 0 &&
    !answer.flag_aa &&
    authorities.some((record) => record.type === 'NS') &&
    !authorities.some((record) => record.type === 'SOA');
  return isReferral ? { kind: 'error', what: 'a referral', isAboutOpt: false } : content;
}

/** The records of the name or of the name that its aliases lead to. */
function recordsFor(
  answers: readonly packet.Answer[],
  name: string,
  type: RecordType,
): ParsedAnswer {
  let current = name;
  let ttlSeconds = Number.POSITIVE_INFINITY;
  for (let aliases = 0; aliases <= MAX_ALIASES; aliases++) {
    const records = answers.flatMap((answer) => {
      const record = canonicalName(answer.name) === current ? recordOf(answer, type) : undefined;
      return record === undefined ? [] : [record];
    });
    if (records.length > 0) {
      const smallest = Math.min(ttlSeconds, ...records.map((record) => record.ttlSeconds));
      return { kind: 'records', records, ttlSeconds: smallest };
    }
    const alias = answers.find((a) => a.type === 'CNAME' && canonicalName(a.name) === current);
    if (alias?.type !== 'CNAME') {
      if (current === name) return { kind: 'absent', reason: 'nodata' };
      return { kind: 'alias', name: current, ttlSeconds };
    }
    ttlSeconds = Math.min(ttlSeconds, ttlOf(alias));
    current = canonicalName(alias.data);
  }
  return { kind: 'error', what: TOO_MANY_ALIASES, isAboutOpt: false };
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
      return { type: 'SRV', priority, weight, port, target: canonicalName(target), ttlSeconds };
    }
    case 'NAPTR': {
      const { order, preference, flags, services, replacement } = answer.data;
      return {
        ...{ type: 'NAPTR', order, preference, flags: flags.toLowerCase() },
        ...{ service: services.toUpperCase(), replacement: canonicalName(replacement) },
        ttlSeconds,
      };
    }
    default:
      return undefined;
  }
}

/** RFC 2181 8: a TTL with its top bit set counts as 0. */
function ttlOf({ ttl = 0 }: { readonly ttl?: number | undefined }): number {
  return ttl < 2 ** 31 ? ttl : 0;
}

/** The name in lower case, without the final dot. */
function canonicalName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
