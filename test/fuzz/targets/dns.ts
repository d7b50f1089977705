/** DNS answers: every result is a record of the requested type, within its limits. */

import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import { encodeQuery, idOf, parseAnswer, type Question } from '../../../src/pinger/dns/message.js';
import type { DnsRecord, RecordType } from '../../../src/pinger/dns/records.js';
import { questionOf } from '../../support/corpus-dns.js';
import type { Mutation } from '../mutate.js';
import { type FuzzTarget, seedsOf } from '../target.js';

const TYPES: readonly RecordType[] = ['A', 'AAAA', 'SRV', 'NAPTR'];
const QUESTIONS = TYPES.map((type): Question => {
  return { type, name: questionOf(type, 'name.test') };
});
const isWord = (number: number) => Number.isInteger(number) && number >= 0 && number < 65536;
/** RFC 1035 2.3.4. */
const isName = (name: string) => name.length < 256 * 4;

function checkRecord(record: DnsRecord, type: RecordType): void {
  assert.equal(record.type, type);
  const { ttlSeconds } = record;
  assert.ok(Number.isInteger(ttlSeconds) && ttlSeconds >= 0 && ttlSeconds < 2 ** 31, 'the TTL');
  switch (record.type) {
    case 'A':
      assert.ok(isIPv4(record.address), record.address);
      break;
    case 'AAAA':
      assert.ok(isIPv6(record.address), record.address);
      break;
    case 'SRV':
      assert.ok([record.priority, record.weight, record.port].every(isWord), 'a number of SRV');
      assert.ok(isName(record.target), 'the target');
      break;
    case 'NAPTR':
      assert.ok([record.order, record.preference].every(isWord), 'a number of NAPTR');
      assert.ok(record.flags.length < 256 && record.service.length < 256, 'a text of NAPTR');
      assert.ok(isName(record.replacement), 'the replacement');
      break;
    default:
      record satisfies never;
  }
}

/** Changes counts in the header, so that sections end early or late. */
const changeCounts: Mutation = (input, random) => {
  const changed = Buffer.from(input);
  if (changed.length >= 12) changed.writeUInt16BE(random.below(6), 4 + 2 * random.below(4));
  return changed;
};

/** Inserts a compression pointer to anywhere. */
const addPointer: Mutation = (input, random) => {
  const changed = Buffer.from(input);
  if (changed.length < 14) return changed;
  const to = random.below(changed.length);
  changed.writeUInt16BE(0xc000 | (to & 0x3fff), 12 + random.below(changed.length - 13));
  return changed;
};

/** Changes the type of a record or a question. */
const changeType: Mutation = (input, random) => {
  const changed = Buffer.from(input);
  const offsets = [...changed.keys()].filter(
    (at) => at >= 12 && at + 4 <= changed.length && changed.readUInt16BE(at + 2) === 1,
  );
  const at = offsets[random.below(offsets.length)];
  if (at !== undefined) changed.writeUInt16BE(random.pick([1, 28, 33, 35, 5, 41, 16, 2, 6]), at);
  return changed;
};

/** Adds a record whose length is right, or nearly right. */
const addRecord: Mutation = (input, random) => {
  const length = random.below(24);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(random.pick([1, 28, 33, 35, 5, 41]), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(random.pick([0, 60, 0x7fffffff, 0x80000000]), 6);
  head.writeUInt16BE(Math.max(length + random.pick([0, 0, 0, 1, -1]), 0), 10);
  const data = Buffer.from(Array.from({ length }, () => random.pick([0, 1, 3, 4, 115, 192, 12])));
  const changed = Buffer.concat([input, head, data]);
  if (changed.length >= 12 && input.length >= 12) {
    changed.writeUInt16BE((changed.readUInt16BE(6) + 1) & 0xffff, 6);
  }
  return changed;
};

export const DNS: FuzzTarget = {
  seeds: [
    ...seedsOf('dns', '.hex'),
    ...QUESTIONS.map((question) => encodeQuery(0, question, true)),
  ],
  dictionary: [
    '\xc0\x0c',
    '\x04name\x04test\0',
    '\0',
    '\0\x29\x04\xd0',
    '\x03www',
    '\0\x04\x7f\0\0\x01',
  ],
  mutations: [changeCounts, addPointer, changeType, addRecord],
  run: (input) => {
    idOf(input);
    for (const question of QUESTIONS) {
      const meaning = parseAnswer(input, question);
      if (meaning === undefined) continue;
      if (meaning.kind === 'alias') assert.ok(isName(meaning.name), 'the alias');
      if (meaning.kind !== 'records') continue;
      assert.ok(meaning.records.length > 0, 'no records');
      for (const record of meaning.records) checkRecord(record, question.type);
    }
  },
};
