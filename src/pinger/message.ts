/**
 * The messages that we send. A ping's text is made once per target with the grammar of `sip`; each
 * ping then gets its own branch, tag and Call-ID, stamped into the same bytes.
 */

import * as sip from 'sip';
import type { PingSettings } from '../shared/destination.js';
import { bracketed, formatUri, type SipUri } from '../shared/uri.js';
import type { Entropy } from './entropy.js';
import { is, word } from './scanner.js';
import type { LocalAddress } from './transport/transport.js';

/** RFC 3261 8.1.1.7: how branches of this RFC begin. */
const MAGIC_COOKIE = 'z9hG4bK';
const COOKIE = word(MAGIC_COOKIE.toLowerCase());
const SLOT_DIGITS = 8;
/** RFC 3261 8.1.1.7 wants uniqueness across space and time; 128 bits cannot be guessed either. */
const BRANCH_BYTES = 16;
const TAG_BYTES = 8;
const CALL_ID_BYTES = 16;
/** Digits of a branch that say whose it is, and those that nobody can guess. */
const BRANCH_LENGTH = MAGIC_COOKIE.length + SLOT_DIGITS + 2 * BRANCH_BYTES;

/** A request to be stamped and sent again and again. */
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
  readonly settings: PingSettings;
  readonly local: LocalAddress;
  /** Number of the target; responses carry it back in their branch. */
  readonly slot: number;
}

/** Makes the request (RFC 3261 11.1) that asks `uri` for its options. */
export function pingTemplate({ uri, settings, local, slot }: PingIdentity): PingTemplate {
  const sentBy = `${bracketed(local.address)}:${local.port}`;
  const from = settings.pingFrom || `sip:keepalive@${bracketed(local.address)}`;
  const branch = `${MAGIC_COOKIE}${hex(slot, SLOT_DIGITS)}${'0'.repeat(2 * BRANCH_BYTES)}`;
  const tag = 't'.repeat(2 * TAG_BYTES);
  const callId = 'c'.repeat(2 * CALL_ID_BYTES);
  const requestUri = formatUri(uri);
  const text = sip.stringify({
    method: 'OPTIONS',
    uri: requestUri,
    headers: {
      via: `SIP/2.0/UDP ${sentBy};branch=${branch};rport`,
      'max-forwards': '70',
      from: `<${from}>;tag=${tag}`,
      to: `<${requestUri}>`,
      'call-id': callId,
      cseq: { seq: 1, method: 'OPTIONS' },
      contact: `<sip:keepalive@${sentBy}>`,
      accept: 'application/sdp',
      allow: 'OPTIONS',
      'user-agent': settings.userAgent,
    },
  });
  const bytes = Buffer.from(text, 'utf8');
  return {
    bytes,
    sentBy: Buffer.from(sentBy.toLowerCase(), 'latin1'),
    method: Buffer.from('options', 'latin1'),
    branchAt: bytes.indexOf(branch),
    tagAt: bytes.indexOf(`tag=${tag}`) + 'tag='.length,
    callIdAt: bytes.indexOf(`: ${callId}\r\n`) + ': '.length,
  };
}

/** Makes the template the next ping's request: a new branch, From tag and Call-ID. */
export function stamp(template: PingTemplate, entropy: Entropy): void {
  const { bytes, branchAt, tagAt, callIdAt } = template;
  entropy.writeHex(bytes, branchAt + MAGIC_COOKIE.length + SLOT_DIGITS, BRANCH_BYTES);
  entropy.writeHex(bytes, tagAt, TAG_BYTES);
  entropy.writeHex(bytes, callIdAt, CALL_ID_BYTES);
}

/** A copy of the random digits of the branch that the template carries now. */
export function branchOf({ bytes, branchAt }: PingTemplate): Uint8Array {
  const start = branchAt + MAGIC_COOKIE.length + SLOT_DIGITS;
  return Uint8Array.prototype.slice.call(bytes, start, start + 2 * BRANCH_BYTES);
}

/** The number of the target that a branch of ours names; -1 when it is none of ours. */
export function slotOfBranch(bytes: Uint8Array, start: number, end: number): number {
  if (end - start !== BRANCH_LENGTH || !is(bytes, start, start + COOKIE.length, COOKIE)) return -1;
  let slot = 0;
  for (let i = 0; i < SLOT_DIGITS; i++) {
    const digit = hexDigit(bytes[start + MAGIC_COOKIE.length + i] ?? 0);
    if (digit < 0) return -1;
    slot = slot * 16 + digit;
  }
  return slot;
}

/** Whether the branch that ends at `end` is the one that the template carries now. */
export function isBranchOf(
  { bytes, branchAt }: PingTemplate,
  text: Uint8Array,
  end: number,
): boolean {
  const start = branchAt + MAGIC_COOKIE.length + SLOT_DIGITS;
  return isBranch(bytes, start, text, end);
}

/** Whether the branch that ends at `end` ends in the random digits at `start` of `digits`. */
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
