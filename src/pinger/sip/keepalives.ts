/**
 * What peers and middle boxes send to keep a binding in a NAT alive: it is no SIP message, wants no
 * answer, and is nobody's stray.
 */

const CR = 13;
const LF = 10;
/** RFC 7983 7: what begins with 0 to 3 is STUN. */
const LAST_STUN_BYTE = 3;
const STUN_HEADER_BYTES = 20;

/**
 * Without the blank lines (RFC 3261 7.5, RFC 5626 4.4.1) and NULs (CR LF NUL is PJSIP's keep-alive)
 * in front of a message; empty when there is nothing else. The bytes are not copied.
 */
export function withoutPadding(bytes: Uint8Array): Uint8Array {
  if (!isPadding(bytes[0])) return bytes;
  return bytes.subarray(skipPadding(bytes, 0));
}

/** Where something other than padding begins, from `from` on; the length when it is nowhere. */
export function skipPadding(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && isPadding(bytes[at])) at++;
  return at;
}

/** Whether a datagram is a keep-alive: empty, blank lines, NULs, or STUN (RFC 5389 6, RFC 5626 4.4.2). */
export function isKeepalive(datagram: Uint8Array): boolean {
  const first = datagram[0] ?? 0;
  if (!isPadding(first) && first > LAST_STUN_BYTE) return false;
  return skipPadding(datagram, 0) === datagram.length || isStun(datagram);
}

/** A STUN header and as many bytes behind it as it says, a multiple of 4 (RFC 5389 6). */
function isStun(datagram: Uint8Array): boolean {
  if (datagram.length < STUN_HEADER_BYTES || (datagram[0] ?? 0) > LAST_STUN_BYTE) return false;
  const length = ((datagram[2] ?? 0) << 8) | (datagram[3] ?? 0);
  return length % 4 === 0 && STUN_HEADER_BYTES + length === datagram.length;
}

function isPadding(byte: number | undefined): boolean {
  return byte === CR || byte === LF || byte === 0;
}
