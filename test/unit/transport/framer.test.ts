import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import {
  Framer,
  FramingError,
  MAX_BODY_LENGTH,
  MAX_HEAD_LENGTH,
} from '../../../src/pinger/transport/framer.js';
import { isLinear } from '../../support/cost.js';
import { eventually } from '../../support/process.js';

/** The messages in these chunks, and the error that ends the stream. */
function framed(chunks: readonly (string | Buffer)[]) {
  const messages: string[] = [];
  const framer = new Framer((message) => messages.push(Buffer.from(message).toString('latin1')));
  for (const chunk of chunks) {
    try {
      framer.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk, 'latin1'));
    } catch (error) {
      assert.ok(error instanceof FramingError, String(error));
      return { messages, error: error.message, framer };
    }
  }
  return { messages, error: undefined, framer };
}

const response = (body = '', head = '') =>
  `SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP a;branch=z9hG4bKx\r\n${head}Content-Length: ${body.length}\r\n\r\n${body}`;

const message = fc
  .record({
    isResponse: fc.boolean(),
    name: fc.constantFrom('Content-Length', 'content-length', 'l', 'L '),
    body: fc.string({
      maxLength: 40,
      unit: fc.constantFrom('a', '\r', '\n', ' ', '\0', 'SIP/2.0'),
    }),
    more: fc.constantFrom('', 'X-Y: z\r\n', 'Subject: a\r\n folded\r\n'),
  })
  .map(({ isResponse, name, body, more }) => {
    const line = isResponse ? 'SIP/2.0 180 Ringing' : 'OPTIONS sip:a@b SIP/2.0';
    return `${line}\r\n${more}${name}: ${body.length}\r\n\r\n${body}`;
  });

/** Cuts the text into pieces of these lengths, repeatedly. */
function cut(text: string, lengths: readonly number[]): string[] {
  const pieces: string[] = [];
  for (let at = 0, i = 0; at < text.length; i++) {
    const length = lengths[i % lengths.length] ?? 1;
    pieces.push(text.slice(at, at + length));
    at += length;
  }
  return pieces;
}

describe('a stream of messages', () => {
  test('gives the same messages however it is split', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('', '\r\n', '\r\n\r\n'), message), { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 5 }),
        (list, lengths) => {
          const text = list.map(([keepAlive, one]) => keepAlive + one).join('');
          const { messages, error, framer } = framed(cut(text, lengths));
          assert.equal(error, undefined);
          assert.deepEqual(
            messages,
            list.map(([, one]) => one),
          );
          assert.equal(framer.isWithinMessage, false);
        },
      ),
    );
  });

  test('may have bodies with any bytes and any length up to the limit', () => {
    const body = fc.oneof(
      { weight: 5, arbitrary: fc.uint8Array({ maxLength: 200 }) },
      fc.uint8Array({ minLength: 5000, maxLength: 6000 }),
    );
    const keepAlives = fc.constantFrom('', '\r\n', '\r\n\r\n', '\r\n\r\n\r\n');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(keepAlives, fc.boolean(), body), { maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 7000 }), { minLength: 1, maxLength: 5 }),
        (list, lengths) => {
          const messages = list.map(([, isResponse, bytes]) => {
            const text = Buffer.from(bytes).toString('latin1');
            return isResponse
              ? response(text)
              : response(text).replace(/^.*/, 'INFO sip:a SIP/2.0');
          });
          const text = list.map(([breaks], i) => `${breaks}${messages[i]}`).join('');
          assert.deepEqual(framed(cut(`${text}\r\n`, lengths)).messages, messages);
        },
      ),
    );
  });

  test('is within a message from its first to its last byte, and not between messages', () => {
    const framer = new Framer(() => {});
    const push = (text: string) => framer.push(Buffer.from(text, 'latin1'));
    push('\r\n\r\n');
    assert.equal(framer.isWithinMessage, false);
    push('S');
    assert.equal(framer.isWithinMessage, true);
    push(response('body').slice(1, -1));
    assert.equal(framer.isWithinMessage, true);
    push('y\r\n');
    assert.equal(framer.isWithinMessage, false);
  });

  test('may have pings of the peer between messages, each of which needs a pong (RFC 5626 4.4.1)', () => {
    for (const [text, wanted] of [
      ['\r\n', 0],
      ['\r\n\r\n', 1],
      ['\r\n\r\n\r\n', 1],
      ['\r\n\r\n\r\n\r\n', 2],
      ['\r\n\0\r\n\0', 0],
      [`\r\n\r\n${response('\r\n\r\n')}\r\n\r\n`, 2],
      [`\r\n${response()}\r\n`, 0],
    ] as const) {
      for (const lengths of [[text.length], [1], [3]]) {
        let pings = 0;
        const framer = new Framer(
          () => {},
          () => pings++,
        );
        for (const piece of cut(text, lengths)) framer.push(Buffer.from(piece, 'latin1'));
        assert.deepEqual([pings, framer.isWithinMessage], [wanted, false], JSON.stringify(text));
      }
    }
  });

  test('may have NULs between messages, as after the keep-alives of PJSIP', () => {
    const text = `\r\n\0${response('a')}\r\n\0\0${response('b')}\0`;
    for (const lengths of [[text.length], [1]]) {
      const { messages, error } = framed(cut(text, lengths));
      assert.deepEqual([messages, error], [[response('a'), response('b')], undefined]);
    }
  });

  test('gives messages whose bytes do not change later', () => {
    const kept: Uint8Array[] = [];
    const framer = new Framer((bytes) => kept.push(bytes));
    const chunk = Buffer.from(response('one') + response('two').slice(0, 30), 'latin1');
    framer.push(chunk);
    chunk.fill(0);
    framer.push(Buffer.from(response('two').slice(30), 'latin1'));
    assert.deepEqual(
      kept.map((bytes) => Buffer.from(bytes).toString().slice(-3)),
      ['one', 'two'],
    );
  });

  test('may have headers and bodies up to the limits', () => {
    const body = 'b'.repeat(MAX_BODY_LENGTH);
    assert.equal(framed(cut(response(body), [1000])).messages.length, 1);
    const { error } = framed([response(`${body}b`)]);
    assert.match(error ?? '', /body longer than/);
    const padding = MAX_HEAD_LENGTH - response('', 'P: \r\n').length;
    assert.equal(framed([response('', `P: ${'p'.repeat(padding)}\r\n`)]).messages.length, 1);
    for (const lengths of [[100_000], [700], [1]]) {
      const tooLong = response('', `P: ${'p'.repeat(padding + 1)}\r\n`);
      assert.match(framed(cut(tooLong, lengths)).error ?? '', /headers longer than/);
    }
  });

  test('with too long a body ends after the headers, before the body arrives', () => {
    const head = response('').replace('Content-Length: 0', `l: ${MAX_BODY_LENGTH + 1}`);
    assert.match(framed(cut(head, [1])).error ?? '', /body longer than/);
  });

  test('with endless headers ends once they are too long', () => {
    const framer = new Framer(() => assert.fail('no message'));
    framer.push(Buffer.from('SIP/2.0 200 OK\r\n'));
    const line = Buffer.from(`X: ${'x'.repeat(1000)}\r\n`);
    assert.throws(() => {
      for (let i = 0; i < 20; i++) framer.push(line);
    }, FramingError);
  });
});

describe('data that is not SIP', () => {
  for (const [name, text, why] of [
    ['an HTTP response', 'HTTP/1.1 400 Bad Request\r\n\r\n', /first line/],
    ['a TLS alert', '\x15\x03\x03\x00\x02\x02\x46', /first line/],
    ['an SSH banner', 'SSH-2.0-OpenSSH_9.2\r\n', /first line/],
    ['lines that end in LF only', 'SIP/2.0 200 OK\nVia: x\n\n', /^line ends in LF, not in CR LF$/],
    ['a line without an end', `SIP/2.0 200 ${'x'.repeat(3000)}`, /first line/],
    ['no Content-Length', 'SIP/2.0 200 OK\r\nVia: x\r\n\r\n', /no Content-Length/],
    [
      'a negative Content-Length',
      'SIP/2.0 200 OK\r\nContent-Length: -1\r\n\r\n',
      /^invalid Content-Length /,
    ],
    [
      'a Content-Length that is not a number',
      'SIP/2.0 200 OK\r\nContent-Length: abc\r\n\r\n',
      /^invalid Content-Length /,
    ],
    [
      'an empty Content-Length',
      'SIP/2.0 200 OK\r\nContent-Length:\r\n\r\n',
      /^invalid Content-Length /,
    ],
    [
      'a huge Content-Length',
      'SIP/2.0 200 OK\r\nContent-Length: 4294967296\r\n\r\n',
      /body longer/,
    ],
    [
      'a Content-Length of 400 digits',
      `SIP/2.0 200 OK\r\nl: ${'9'.repeat(400)}\r\n\r\n`,
      /^invalid Content-Length /,
    ],
    [
      'two different Content-Lengths',
      'SIP/2.0 200 OK\r\nl: 1\r\nContent-Length: 2\r\n\r\nab',
      /^different values of Content-Length$/,
    ],
    [
      'a line that is not a header',
      'SIP/2.0 200 OK\r\nnonsense\r\nl: 0\r\n\r\n',
      /^invalid header line "nonsense"$/,
    ],
    ['a NUL in a header', 'SIP/2.0 200 OK\r\nA: \0\r\nl: 0\r\n\r\n', /^NUL byte in the headers$/],
    [
      'a header that ends in LF only',
      'SIP/2.0 200 OK\r\nA: b\nl: 0\r\n\r\n',
      /^line ends in LF, not in CR LF$/,
    ],
    [
      'a CR in a header',
      'SIP/2.0 200 OK\r\nA: b\rc\r\nl: 0\r\n\r\n',
      /^line ends in CR, not in CR LF$/,
    ],
    ['a NUL in the first line', 'SIP/2.0 200 \0\r\nl: 0\r\n\r\n', /first line/],
    ['a CR in the first line', 'SIP/2.0 200 O\rK\r\nl: 0\r\n\r\n', /first line/],
    ['a first line of another protocol', 'OPTIONS * RTSP/1.0\r\nl: 0\r\n\r\n', /first line/],
    ['a first line of spaces', '   \r\nl: 0\r\n\r\n', /first line/],
    ['a length with a sign', 'SIP/2.0 200 OK\r\nl: +1\r\n\r\na', /^invalid Content-Length /],
    ['a length in hexadecimal', 'SIP/2.0 200 OK\r\nl: 0x1\r\n\r\na', /^invalid Content-Length /],
    [
      'a length followed by other text',
      'SIP/2.0 200 OK\r\nl: 1;x\r\n\r\na',
      /^invalid Content-Length /,
    ],
    ['two lengths in one header', 'SIP/2.0 200 OK\r\nl: 1, 1\r\n\r\na', /^invalid Content-Length /],
    [
      'a header without a name',
      'SIP/2.0 200 OK\r\n: a\r\nl: 0\r\n\r\n',
      /^invalid header line " ?:? ?a"$/,
    ],
    [
      'a folded line without a header',
      'SIP/2.0 200 OK\r\n a\r\nl: 0\r\n\r\n',
      /^invalid header line " ?:? ?a"$/,
    ],
  ] as const) {
    test(`${name} ends the stream, whole or byte by byte`, () => {
      for (const lengths of [[text.length], [1]]) {
        const { messages, error } = framed(cut(text, lengths));
        assert.match(error ?? '', why);
        assert.deepEqual(messages, []);
      }
    });
  }

  test('is detected at its first byte', () => {
    for (const byte of ['\x16', ' ', '\t', '<', '{', '\xff', ':']) {
      assert.match(framed([byte]).error ?? '', /first line/, JSON.stringify(byte));
      assert.match(framed([response(), byte]).error ?? '', /first line/, JSON.stringify(byte));
    }
  });

  test('does not include messages with the same length twice or with a folded length', () => {
    for (const head of ['l: 2\r\nContent-Length: 2', 'CONTENT-LENGTH \t:\r\n 2 ', 'L:02']) {
      const text = `SIP/2.0 200 OK\r\n${head}\r\n\r\nab`;
      assert.deepEqual(framed(cut(text, [1])).messages, [text]);
    }
  });

  test('does not affect the messages before it', () => {
    const { messages, error } = framed([`${response('x')}GET / HTTP/1.1\r\n\r\n`]);
    assert.deepEqual([messages.length, error !== undefined], [1, true]);
  });

  test('of any bytes does no more than end the stream', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), (chunks) => {
        framed(chunks.map((chunk) => Buffer.from(chunk)));
      }),
    );
  });
});

describe('the cost of a stream', () => {
  const byteByByte = (framer: Framer, text: string) => {
    const bytes = Buffer.from(text, 'latin1');
    for (let at = 0; at < bytes.length; at++) framer.push(bytes.subarray(at, at + 1));
  };

  for (const [name, n, work] of [
    [
      'a body, byte by byte',
      8_000,
      (size) => byteByByte(new Framer(() => {}), response('b'.repeat(size))),
    ],
    [
      'line breaks, byte by byte',
      64_000,
      (size) => byteByByte(new Framer(() => {}), '\r\n'.repeat(size / 2)),
    ],
    [
      'line breaks at once',
      500_000,
      (size) => new Framer(() => {}).push(Buffer.alloc(size, '\r\n')),
    ],
    [
      'headers, byte by byte',
      1_500,
      (size) => byteByByte(new Framer(() => {}), response('', 'A: b\r\n'.repeat(size / 6))),
    ],
    [
      'small messages at once, after the rest of one',
      50_000,
      (size) => {
        const framer = new Framer(() => {});
        framer.push(Buffer.from(response().slice(0, 9)));
        framer.push(Buffer.from(response().slice(9) + response().repeat(size / 100)));
      },
    ],
  ] as const satisfies readonly (readonly [string, number, (size: number) => void])[]) {
    test(`grows linearly with its length: ${name}`, () => {
      assert.ok(isLinear(n, work), name);
    });
  }

  test('in memory is at most the limits, and close to nothing between messages', async () => {
    setFlagsFromString('--expose-gc');
    const collect: unknown = runInNewContext('gc');
    assert.ok(typeof collect === 'function');
    // Collected garbage is released a little later.
    const heldBytes = async () => {
      const held: number[] = [];
      await eventually('nothing more is given back', async () => {
        collect();
        await setTimeout(5);
        held.push(process.memoryUsage().arrayBuffers);
        return held.length > 4 && new Set(held.slice(-4)).size === 1;
      });
      return held.at(-1) ?? 0;
    };
    const framers = Array.from({ length: 50 }, () => new Framer(() => {}));
    const text = response('b'.repeat(MAX_BODY_LENGTH), `P: ${'p'.repeat(10_000)}\r\n`);
    const pieces = cut(text.slice(0, -1), [1000]).map((piece) => Buffer.from(piece));
    const before = await heldBytes();
    for (const framer of framers) for (const piece of pieces) framer.push(piece);
    const within = (await heldBytes()) - before;
    assert.ok(within > framers.length * MAX_BODY_LENGTH, 'all of it is kept until it is complete');
    // A buffer that doubles is at most twice as long as its content.
    assert.ok(within < framers.length * 2 * (MAX_HEAD_LENGTH + MAX_BODY_LENGTH), `${within}`);
    for (const framer of framers) framer.push(Buffer.from('b\r\n\r\n'));
    assert.ok((await heldBytes()) - before < framers.length * 8 * 1024, 'given back');
    assert.ok(framers.every((framer) => !framer.isWithinMessage));
  });
});
