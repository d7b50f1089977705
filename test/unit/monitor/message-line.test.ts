import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageLine } from '../../../src/pinger/monitor/message-line.js';

const CONTEXT = { destination: 'trunk', transport: 'udp', peer: '192.0.2.1:5060' } as const;
const REQUEST = Buffer.from(
  'OPTIONS sip:a.example SIP/2.0\r\ni: abc@h\r\n' +
    'Authorization: Digest username="alice", response="0123456789abcdef"\r\n\r\n',
);

test('a line has the start line, the Call-ID, the peer and the destination', () => {
  assert.deepEqual(messageLine('sent', REQUEST, CONTEXT, false), {
    level: 'debug',
    event: 'sip_sent',
    message: 'SIP message sent',
    fields: {
      ...CONTEXT,
      start_line: 'OPTIONS sip:a.example SIP/2.0',
      call_id: 'abc@h',
      bytes: REQUEST.length,
    },
  });
});

test('a whole message has no digest response', () => {
  const { level, fields } = messageLine('received', REQUEST, CONTEXT, true);
  assert.equal(level, 'trace');
  assert.match(String(fields['content']), /username="alice", response="<secret>"/);
});

test('a message that belongs to no ping names no destination', () => {
  const { fields } = messageLine(
    'received',
    REQUEST,
    { ...CONTEXT, destination: undefined },
    false,
  );
  assert.equal('destination' in fields, false);
});

test('bytes that are not SIP are shown as a printable start line without a Call-ID', () => {
  const { fields } = messageLine('received', Buffer.from([0x1b, 0x5b, 0x41]), CONTEXT, true);
  assert.deepEqual([fields['start_line'], fields['call_id']], ['?[A', '']);
});

test('a long message is cut, and its start line too', () => {
  const { fields } = messageLine('received', Buffer.alloc(20_000, 'x'), CONTEXT, true);
  assert.deepEqual(
    [String(fields['content']).length, String(fields['start_line']).length, fields['bytes']],
    [8192, 256, 20_000],
  );
});
