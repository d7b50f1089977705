/**
 * Packets that peers and middleboxes send to keep NAT bindings alive. They are not SIP messages, need no
 * answer, and are not counted as unexpected.
 */

const CR = 13;
const LF = 10;
/** RFC 7983 7: STUN begins with a byte from 0 to 3. */
const LAST_STUN_BYTE = 3;
const STUN_HEADER_BYTES = 20;

/**
 * Removes blank lines (RFC 3261 7.5, RFC 5626 4.4.1) and NULs (PJSIP's keep-alive is CR LF NUL) in front
 * of a message, without copying. Empty when there is nothing else.
 */
export function withoutPadding(bytes: Uint8Array): Uint8Array {
  if (!isPadding(bytes[0])) return bytes;
  return bytes.subarray(skipPadding(bytes, 0));
}

/** The offset of the first byte from `from` on that is not padding; the length when there is none. */
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

/** A STUN header and as many bytes after it as it says, a multiple of 4 (RFC 5389 6). */
function isStun(datagram: Uint8Array): boolean {
  if (datagram.length < STUN_HEADER_BYTES || (datagram[0] ?? 0) > LAST_STUN_BYTE) return false;
  const length = ((datagram[2] ?? 0) << 8) | (datagram[3] ?? 0);
  return length % 4 === 0 && STUN_HEADER_BYTES + length === datagram.length;
}

function isPadding(byte: number | undefined): boolean {
  return byte === CR || byte === LF || byte === 0;
}
