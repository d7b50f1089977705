/** Log lines about SIP messages. */

import type { TransportName } from '../../shared/outcome.js';
import type { LogLine } from '../../shared/protocol.js';
import { decode, printable } from '../../shared/text.js';
import type { DebugLog, DebugSubject } from '../debug/debug-log.js';
import { headerValues } from '../sip/headers.js';
import { redacted } from '../sip/redact.js';
import { word } from '../sip/scanner.js';
import type { CurrentHop } from '../targets/attempt.js';
import { addressLabel } from '../targets/candidates.js';

/** Maximum number of logged bytes of a message; the rest is cut off. */
const MAX_CONTENT_BYTES = 8 * 1024;
const MAX_START_LINE_LENGTH = 256;
const MAX_CALL_ID_LENGTH = 128;
const CALL_ID = [word('call-id'), word('i')];

export interface MessageContext {
  /** The name of the destination; undefined when the message belongs to none. */
  readonly destination: string | undefined;
  readonly transport: TransportName;
  /** `192.0.2.1:5060` */
  readonly peer: string;
}

/** Logs a message of a destination's ping if debug lines cover the destination. */
export function logMessage(
  debug: DebugLog,
  destination: DebugSubject,
  direction: 'sent' | 'received',
  bytes: Uint8Array,
  { transportName: transport, endpoint }: CurrentHop,
): void {
  if (!debug.covers(destination)) return;
  const context = { destination: destination.name, transport, peer: addressLabel(endpoint) };
  debug.write(messageLine(direction, bytes, context, debug.isTrace));
}

/** @param isWhole adds the content of the message, without secrets. */
export function messageLine(
  direction: 'sent' | 'received',
  bytes: Uint8Array,
  { destination, transport, peer }: MessageContext,
  isWhole: boolean,
): LogLine {
  const isCut = bytes.length > MAX_CONTENT_BYTES;
  const shown = isCut ? bytes.subarray(0, MAX_CONTENT_BYTES) : bytes;
  const [callId = ''] = headerValues(shown, CALL_ID);
  return {
    level: isWhole ? 'trace' : 'debug',
    event: `sip_${direction}`,
    message: `SIP message ${direction}`,
    fields: {
      ...(destination === undefined ? {} : { destination }),
      ...{ transport, peer, start_line: startLine(bytes) },
      ...{ call_id: printable(callId, MAX_CALL_ID_LENGTH), bytes: bytes.length },
      ...(isWhole ? { content: redacted(shown, isCut) } : {}),
    },
  };
}

function startLine(bytes: Uint8Array): string {
  const end = bytes.findIndex((byte) => byte === 13 || byte === 10);
  const line = bytes.subarray(0, Math.min(end < 0 ? bytes.length : end, MAX_START_LINE_LENGTH));
  return printable(decode(line, true), MAX_START_LINE_LENGTH);
}
