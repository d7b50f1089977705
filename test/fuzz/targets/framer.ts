/** SIP messages on a stream: the result does not depend on how the bytes are split. */

import assert from 'node:assert/strict';
import {
  Framer,
  FramingError,
  MAX_BODY_LENGTH,
  MAX_HEAD_LENGTH,
} from '../../../src/pinger/transport/framer.js';
import { type FuzzTarget, seedsOf } from '../target.js';

interface Framed {
  readonly messages: readonly string[];
  readonly isBroken: boolean;
}

/** @param size chunk size. */
function framed(input: Buffer, size: number): Framed {
  const messages: string[] = [];
  const framer = new Framer((message) => messages.push(Buffer.from(message).toString('latin1')));
  try {
    for (let at = 0; at < input.length; at += size) framer.push(input.subarray(at, at + size));
  } catch (error) {
    if (!(error instanceof FramingError)) throw error;
    return { messages, isBroken: true };
  }
  return { messages, isBroken: false };
}

export const FRAMER: FuzzTarget = {
  seeds: seedsOf('sip', '.sip'),
  dictionary: [
    ...[
      '\r\n',
      '\r\n\r\n',
      '\r\nContent-Length: 0\r\n\r\n',
      '\r\nl:5\r\n\r\n',
      '\r\n ',
      '\n',
      '\r',
    ],
    ...[
      'SIP/2.0 200 OK\r\nl:0\r\n\r\n',
      'OPTIONS sip:a SIP/2.0\r\nl:0\r\n\r\n',
      '\0',
      ' SIP/2.0\r\n',
    ],
  ],
  run: (input) => {
    const whole = framed(input, Math.max(input.length, 1));
    let total = 0;
    for (const message of whole.messages) {
      total += message.length;
      assert.ok(message.length <= MAX_HEAD_LENGTH + MAX_BODY_LENGTH, 'the length of a message');
      assert.ok(input.includes(message, 0, 'latin1'), 'a message that is not in the stream');
    }
    assert.ok(total <= input.length, 'more output than input');
    for (const size of [1, 2 + (input.length % 61), 1000]) {
      assert.deepEqual(framed(input, size), whole, `in pieces of ${size}`);
    }
  },
};
