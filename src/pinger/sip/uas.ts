/**
 * Responses to requests from peers, which may ping the exporter too. An OPTIONS gets a 200 (RFC 3261
 * 11.2). Any other request gets a 405 (8.2.1) on a connection that the exporter opened, and no response
 * over UDP.
 */

import { headerValues } from './headers.js';
import { type Span, word } from './scanner.js';

/** The headers that a response copies from its request (RFC 3261 8.2.6.2), with their short forms. */
const COPIED: readonly (readonly [name: string, ...spellings: Uint8Array[]])[] = [
  ['Via', word('via'), word('v')],
  ['From', word('from'), word('f')],
  ['To', word('to'), word('t')],
  ['Call-ID', word('call-id'), word('i')],
  ['CSeq', word('cseq')],
];

export interface UasResponse {
  /** Code and reason phrase. */
  readonly status: string;
  readonly headers: readonly string[];
}

const OK: UasResponse = { status: '200 OK', headers: [] };
export const NOT_ALLOWED: UasResponse = { status: '405 Method Not Allowed', headers: [] };
export const LOOP_DETECTED: UasResponse = { status: '482 Loop Detected', headers: [] };
const REQUIRE = [word('require')];

/** The response to an OPTIONS with this Request-URI (RFC 3261 8.2.2.1, 8.2.2.3). */
export function responseToOptions(request: Uint8Array, { start, end }: Span): UasResponse {
  const uri = Buffer.from(request.subarray(start, end)).toString('latin1');
  if (!/^sips?:/i.test(uri)) return { status: '416 Unsupported URI Scheme', headers: [] };
  const required = headerValues(request, REQUIRE).filter((value) => value !== '');
  if (required.length === 0) return OK;
  return { status: '420 Bad Extension', headers: [`Unsupported: ${required.join(', ')}`] };
}

export interface RoutedResponse {
  readonly message: Uint8Array;
  /** Destination port: by RFC 3581 4 if the top Via has rport, otherwise by RFC 3261 18.2.2. */
  readonly port: number;
}

/** Only the message of {@link buildResponse}. */
export function buildOptionsResponse(
  ...args: Parameters<typeof buildResponse>
): Uint8Array | undefined {
  return buildResponse(...args)?.message;
}

/** The response to a well-formed request; undefined when the request lacks a header to copy. */
export function buildResponse(
  request: Uint8Array,
  from: Peer,
  toTag: string,
  status = OK.status,
  headers: readonly string[] = OK.headers,
): RoutedResponse | undefined {
  const copied = copiedHeaders(request);
  if ([...copied.values()].some((values) => values.length === 0)) return undefined;
  const [topVia = '', ...otherVias] = copied.get('Via') ?? [];
  const [to = ''] = copied.get('To') ?? [];
  const lines = [
    `SIP/2.0 ${status}`,
    `Via: ${withSource(topVia, from)}`,
    ...otherVias.map((via) => `Via: ${via}`),
    `From: ${copied.get('From')?.[0]}`,
    `To: ${hasTag(to) ? to : `${to};tag=${toTag}`}`,
    `Call-ID: ${copied.get('Call-ID')?.[0]}`,
    `CSeq: ${copied.get('CSeq')?.[0]}`,
    ...headers,
    'Allow: OPTIONS',
    'Accept: application/sdp',
    'Content-Length: 0',
  ];
  const message = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  return { message, port: portOf(topVia, from) };
}

function copiedHeaders(request: Uint8Array): Map<string, string[]> {
  return new Map(COPIED.map(([name, ...spellings]) => [name, headerValues(request, spellings)]));
}

/** Whether the header has a tag. A parameter of its URI or its display name does not count. */
function hasTag(header: string): boolean {
  return /;\s*tag\s*=/i.test(header.slice(header.lastIndexOf('>') + 1));
}

/**
 * Adds the request's source to the top Via: by RFC 3581 4 if it has rport, otherwise by RFC 3261 18.2.1 if
 * its sent-by is not the source address.
 */
function withSource(via: string, from: Peer): string {
  const topEnd = via.includes(',') ? via.indexOf(',') : via.length;
  const top = via.slice(0, topEnd);
  const received = `;received=${from.address}`;
  const filled = top.replace(RPORT, `;rport=${from.port}${received}`);
  const isNamed = filled !== top || sentBy(top).host === from.address;
  return `${isNamed ? filled : `${top}${received}`}${via.slice(topEnd)}`;
}

interface Peer {
  readonly address: string;
  readonly port: number;
}

const RPORT = /;[ \t]*rport[ \t]*(?=;|$)/i;
const SENT_BY =
  /^SIP\s*\/\s*2\.0\s*\/\s*[A-Z]+\s+(?:\[([^\]]*)\]|([^\s:;]+))\s*(?::\s*(\d{1,5}))?/i;

function portOf(via: string, from: Peer): number {
  const [top = ''] = via.split(',');
  return RPORT.test(top) ? from.port : (sentBy(top).port ?? 5060);
}

/** The host, without brackets, and the port of a Via. */
function sentBy(via: string): { readonly host: string; readonly port: number | undefined } {
  const [, bracketed, bare = '', port] = SENT_BY.exec(via) ?? [];
  const isPort = port !== undefined && Number(port) > 0 && Number(port) < 65536;
  return { host: bracketed ?? bare, port: isPort ? Number(port) : undefined };
}
