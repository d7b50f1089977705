/**
 * Builds requests. The package `sip` formats the request once per target; for each ping a new branch, tag
 * and Call-ID are written into the same bytes.
 */

import * as sip from 'sip';
import { bracketed, type LocalAddress } from '../../shared/address.js';
import type { Identity, PingSettings } from '../../shared/destination.js';
import type { TransportName } from '../../shared/outcome.js';
import { formatUri, parseUri, type SipUri } from '../../shared/uri.js';
import type { RandomHex } from './random-hex.js';
import { is, word } from './scanner.js';

/** RFC 3261 8.1.1.7: every branch begins with it. */
const MAGIC_COOKIE = 'z9hG4bK';
const COOKIE = word(MAGIC_COOKIE.toLowerCase());
const INDEX_DIGITS = 8;
/** RFC 3261 8.1.1.7 requires unique branches; 128 random bits are also impossible to guess. */
const BRANCH_BYTES = 16;
const TAG_BYTES = 8;
const CALL_ID_BYTES = 16;
/** Cookie, hex digits of the index, random hex digits. */
const BRANCH_LENGTH = MAGIC_COOKIE.length + INDEX_DIGITS + 2 * BRANCH_BYTES;

/** A request that is sent many times, each time with new identifiers. */
export interface PingTemplate {
  readonly bytes: Uint8Array;
  /** The sent-by that a response must carry (RFC 3261 18.1.2), in lower case. */
  readonly sentBy: Uint8Array;
  readonly method: Uint8Array;
  readonly branchAt: number;
  readonly tagAt: number;
  readonly callIdAt: number;
}

export interface PingIdentity {
  readonly uri: SipUri;
  readonly transport: TransportName;
  readonly settings: PingSettings;
  readonly local: LocalAddress;
  /** Index of the target, which the branch carries, so a response has it too. */
  readonly index: number;
  /** 1, incremented for each repetition with credentials. */
  readonly cseq: number;
  /** Authorization headers; values are binary strings, one character per byte. */
  readonly credentials: readonly (readonly [name: string, value: string])[];
}

/** The Request-URI of pings to `uri`. */
export function requestUri(uri: SipUri, { identity }: PingSettings): string {
  return formatUri(uri.user === '' ? { ...uri, user: identity.user } : uri);
}

/** Builds the request, normally an OPTIONS (RFC 3261 11.1). */
export function pingTemplate(ping: PingIdentity): PingTemplate {
  const { uri, transport, settings, local, index, cseq, credentials } = ping;
  const { identity, method } = settings;
  const host = bracketed(local.address);
  const sentBy = sentByOf(identity, transport, local);
  const branch = `${MAGIC_COOKIE}${hex(index, INDEX_DIGITS)}${'0'.repeat(2 * BRANCH_BYTES)}`;
  const tag = 't'.repeat(2 * TAG_BYTES);
  const callId = 'c'.repeat(2 * CALL_ID_BYTES);
  const target = requestUri(uri, settings);
  // RFC 5923 4: the peer may send requests to the Via host over this connection.
  const isStream = transport === 'tcp' || transport === 'tls';
  const alias = identity.viaHost !== '' && isStream ? ';alias' : '';
  const text = sip.stringify({
    method,
    uri: target,
    headers: {
      via: `SIP/2.0/${transport.toUpperCase()} ${sentBy};branch=${branch};rport${alias}`,
      'max-forwards': String(settings.maxForwards),
      ...(identity.route === '' ? {} : { route: routeHeader(identity.route) }),
      from: `<${identity.pingFrom || exporterUri('sip', identity, host)}>;tag=${tag}`,
      to: `<${identity.to || target}>`,
      'call-id': callId,
      cseq: { seq: cseq, method },
      // RFC 3261 10.2.3: a REGISTER without Contact changes no binding.
      ...(method === 'REGISTER'
        ? {}
        : { contact: `<${contactUri(ping, `${host}:${local.port}`)}>` }),
      accept: 'application/sdp',
      allow: 'OPTIONS',
      'user-agent': identity.userAgent,
    },
  });
  // Configured headers bypass `sip`, which would change the case of their names.
  const bytes = Buffer.concat([
    Buffer.from(text.slice(0, -'\r\n'.length), 'utf8'),
    Buffer.from(headerLines(credentials), 'latin1'),
    Buffer.from(`${headerLines(identity.headers)}\r\n`, 'utf8'),
  ]);
  const from = bytes.indexOf('\r\nFrom: ');
  return {
    bytes,
    sentBy: sharedWord(sentBy),
    method: sharedWord(method),
    branchAt: bytes.indexOf(`;branch=${branch}`) + ';branch='.length,
    // Searched after the URI, which may contain the same text.
    tagAt: bytes.indexOf(`>;tag=${tag}\r\n`, from) + '>;tag='.length,
    callIdAt: bytes.indexOf(`: ${callId}\r\n`) + ': '.length,
  };
}

function headerLines(headers: readonly (readonly [name: string, value: string])[]): string {
  return headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
}

/** Values that templates share; normally few. */
const sharedWords = new Map<string, Uint8Array>();
const MAX_SHARED = 64;

/** The text in lower case; templates with the same text share the bytes. */
function sharedWord(text: string): Uint8Array {
  const known = sharedWords.get(text);
  if (known !== undefined) return known;
  if (sharedWords.size === MAX_SHARED) sharedWords.clear();
  const bytes = word(text.toLowerCase());
  sharedWords.set(text, bytes);
  return bytes;
}

/** The exporter's URI if none is configured. */
function exporterUri(scheme: SipUri['scheme'], { viaHost }: Identity, host: string): string {
  return viaHost === '' ? `${scheme}:keepalive@${host}` : `${scheme}:${viaHost}`;
}

/**
 * RFC 3261 18.1.1: responses over UDP go to the port in sent-by, or to 5060. Over connections they use the
 * same connection, and sent-by is where peers may connect to (RFC 5923 4).
 */
function sentByOf({ viaHost }: Identity, transport: TransportName, local: LocalAddress): string {
  if (viaHost === '') return `${bracketed(local.address)}:${local.port}`;
  const hasPort = /:\d+$/.test(viaHost.replace(/^\[[^\]]*\]/, ''));
  return transport === 'udp' && !hasPort ? `${viaHost}:${local.port}` : viaHost;
}

/** RFC 3261 8.1.1.8: for a sips Request-URI, Contact is a sips URI too. */
function contactUri({ uri, transport, settings }: PingIdentity, hostport: string): string {
  const { identity } = settings;
  if (identity.contact !== '') return identity.contact;
  const needsTransport = transport !== 'udp' && uri.scheme !== 'sips';
  const param = needsTransport ? `;transport=${transport === 'wss' ? 'ws' : transport}` : '';
  return `${exporterUri(uri.scheme, identity, hostport)}${param}`;
}

/** Adds `lr` if it is missing: the route is a loose router (RFC 3261 16.12.1.1). */
function routeHeader(route: string): string {
  const isLoose = parseUri(route).params.some(([name]) => name === 'lr');
  return isLoose ? `<${route}>` : `<${route};lr>`;
}

/** Prepares the template for the next ping: new branch, From tag and Call-ID. */
export function stamp(template: PingTemplate, randomHex: RandomHex): void {
  const { bytes, branchAt, tagAt, callIdAt } = template;
  randomHex.writeHex(bytes, branchAt + MAGIC_COOKIE.length + INDEX_DIGITS, BRANCH_BYTES);
  randomHex.writeHex(bytes, tagAt, TAG_BYTES);
  randomHex.writeHex(bytes, callIdAt, CALL_ID_BYTES);
}

/** Like {@link stamp}, but keeps the tag and Call-ID of `before` (RFC 3261 22.2). */
export function stampAgain(
  template: PingTemplate,
  before: PingTemplate,
  randomHex: RandomHex,
): void {
  const { bytes, branchAt, tagAt, callIdAt } = template;
  randomHex.writeHex(bytes, branchAt + MAGIC_COOKIE.length + INDEX_DIGITS, BRANCH_BYTES);
  const copy = (to: number, from: number, length: number) =>
    bytes.set(before.bytes.subarray(from, from + length), to);
  copy(tagAt, before.tagAt, 2 * TAG_BYTES);
  copy(callIdAt, before.callIdAt, 2 * CALL_ID_BYTES);
}

/** A copy of the random digits of the template's current branch. */
export function branchOf({ bytes, branchAt }: PingTemplate): Uint8Array {
  const start = branchAt + MAGIC_COOKIE.length + INDEX_DIGITS;
  return Uint8Array.prototype.slice.call(bytes, start, start + 2 * BRANCH_BYTES);
}

/** The target index in a branch made by this exporter; -1 for any other branch. */
export function indexOfBranch(bytes: Uint8Array, start: number, end: number): number {
  if (end - start !== BRANCH_LENGTH || !is(bytes, start, start + COOKIE.length, COOKIE)) return -1;
  let index = 0;
  for (let i = 0; i < INDEX_DIGITS; i++) {
    const digit = hexDigit(bytes[start + MAGIC_COOKIE.length + i] ?? 0);
    if (digit < 0) return -1;
    index = index * 16 + digit;
  }
  return index;
}

/** A branch in the exporter's format somewhere in a message. */
export interface BranchFound {
  readonly index: number;
  /** The offset after its last byte. */
  readonly end: number;
}

/** Every branch in the exporter's format in the bytes, even if the message is malformed. */
export function* branchesIn(bytes: Uint8Array): Generator<BranchFound> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = text.indexOf(MAGIC_COOKIE, 0, 'latin1');
  while (at >= 0) {
    const end = at + BRANCH_LENGTH;
    const index = end <= bytes.length ? indexOfBranch(bytes, at, end) : -1;
    if (index >= 0) yield { index, end };
    at = text.indexOf(MAGIC_COOKIE, at + MAGIC_COOKIE.length, 'latin1');
  }
}

/** Whether the branch that ends at `end` is the template's current one. */
export function isBranchOf(
  { bytes, branchAt }: PingTemplate,
  text: Uint8Array,
  end: number,
): boolean {
  const start = branchAt + MAGIC_COOKIE.length + INDEX_DIGITS;
  return isBranch(bytes, start, text, end);
}

/** Whether the branch that ends at `end` has the random digits that begin at `start` in `digits`. */
export function isBranch(
  digits: Uint8Array,
  start: number,
  text: Uint8Array,
  end: number,
): boolean {
  const from = end - 2 * BRANCH_BYTES;
  for (let i = 0; i < 2 * BRANCH_BYTES; i++) if (text[from + i] !== digits[start + i]) return false;
  return true;
}

function hex(number: number, digits: number): string {
  return number.toString(16).padStart(digits, '0');
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  if (byte >= 97 && byte <= 102) return byte - 87;
  return -1;
}
