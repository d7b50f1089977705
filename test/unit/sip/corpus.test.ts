import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Framer, FramingError } from '../../../src/pinger/transport/framer.js';
import { detailOf } from '../../../src/shared/outcome.js';
import { bytesOf, readCorpus } from '../../support/corpus.js';
import { asAnswerTo, asFrom, isAnswer } from '../../support/corpus-sip.js';
import { TargetRig } from '../../support/target-rig.js';

const PEER = '192.0.2.1:5060';

/** The result of the messages, in the words of verdicts.txt. */
function verdictOf(rig: TargetRig, isStray: boolean): string {
  if (isStray) {
    const codes = rig.answers.map((answer) => `answered ${answer.slice(8, 11)}`);
    return codes.join(' + ') || 'silence';
  }
  // At the deadline, a discarded response may be the reason of the failure.
  rig.timeOut();
  const [end] = rig.ends;
  if (end?.kind === 'failed' && end.reason !== 'timeout') return end.reason;
  if (end?.kind === 'answered' && end.code === 503) {
    return detailOf(end).replace('answered with', 'answer');
  }
  if (rig.codes.length > 0) return rig.codes.map((code) => `answer ${code}`).join(' + ');
  return rig.unmatched > 0 ? 'stray' : 'silence';
}

function asDatagram(bytes: Buffer): string {
  const rig = new TargetRig('udp');
  const isOurs = isAnswer(bytes);
  const request = rig.ping();
  rig.take(isOurs ? asAnswerTo(request, bytes) : asFrom(PEER, bytes), false);
  return verdictOf(rig, !isOurs);
}

/** @param size of the pieces in which the bytes arrive. */
function onStream(bytes: Buffer, size: number): string {
  const rig = new TargetRig('tcp');
  const isOurs = isAnswer(bytes);
  const request = rig.ping();
  const stream = isOurs ? asAnswerTo(request, bytes) : asFrom(PEER, bytes);
  const framer = new Framer((message) => rig.take(message, true));
  try {
    for (let at = 0; at < stream.length; at += size) framer.push(stream.subarray(at, at + size));
  } catch (error) {
    if (!(error instanceof FramingError)) throw error;
    return isOurs ? 'malformed' : 'closed';
  }
  return verdictOf(rig, !isOurs);
}

describe('a SIP message during a ping', () => {
  for (const { file, path, verdict, why } of readCorpus('sip')) {
    const [datagram, stream] = verdict;
    const bytes = bytesOf({ path });

    test(`in a datagram: ${file}: ${datagram}: ${why}`, () => {
      assert.equal(asDatagram(bytes), datagram);
    });

    test(`on a stream: ${file}: ${stream}, however it is split`, () => {
      for (const size of [bytes.length, 1, 7]) {
        assert.equal(onStream(bytes, size), stream, `pieces of ${size}`);
      }
    });
  }
});
