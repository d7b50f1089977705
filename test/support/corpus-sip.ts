/** Fills in the placeholders in messages of `test/corpus/sip` that only a real exchange knows. */

import { replaced } from './corpus.js';

const OUR_SENT_BY = Buffer.from('client.example.com:5060');
const OUR_BRANCH = Buffer.from('z9hG4bKours');
const PEER_SENT_BY = Buffer.from('peer.example.org:5090');

/** Whether the message is a response to a ping. */
export function isAnswer(bytes: Buffer): boolean {
  return bytes.includes('client.example.com') || bytes.includes(OUR_BRANCH);
}

/** The message as a response to this request. */
export function asAnswerTo(request: string, bytes: Buffer): Buffer {
  const [, sentBy = '', branch = ''] =
    /^Via: SIP\/2\.0\/\w+ ([^;]+);branch=([^;]+)/m.exec(request) ?? [];
  const named = replaced(bytes, OUR_BRANCH, Buffer.from(branch));
  const spaced = Buffer.from('client.example.com : 5060');
  const whole = replaced(named, spaced, Buffer.from(sentBy.replace(/:(\d+)$/, ' : $1')));
  return replaced(whole, OUR_SENT_BY, Buffer.from(sentBy));
}

/** The message as one from this host and port. */
export function asFrom(sentBy: string, bytes: Buffer): Buffer {
  return replaced(bytes, PEER_SENT_BY, Buffer.from(sentBy));
}
