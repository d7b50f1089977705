import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as nextRound } from 'node:timers/promises';
import { LogOutput, sendTo } from '../../../src/platform/log-output.js';
import { FakeClock } from '../../support/fake-clock.js';
import { eventually } from '../../support/process.js';

/** An output whose reader reads only when the test says so. */
function output() {
  const written: string[] = [];
  const waiting: ((error?: Error) => void)[] = [];
  const clock = new FakeClock();
  const send = (text: string, done: (error?: Error | null) => void) => {
    written.push(text);
    waiting.push(done);
  };
  const log = new LogOutput(send, clock);
  const take = async (error?: Error) => {
    waiting.shift()?.(error);
    await nextRound();
    await nextRound();
  };
  return { log, written, waiting, take, clock };
}

test('lines are written in order, and waiting ones in one piece', async () => {
  const { log, written, take } = output();
  for (const line of ['a\n', 'b\n', 'c\n']) log.write(line);
  assert.deepEqual(written, ['a\n']);
  await take();
  assert.deepEqual(written, ['a\n', 'b\nc\n']);
  await take();
  log.write('d\n');
  assert.deepEqual(written, ['a\n', 'b\nc\n', 'd\n']);
  assert.equal(log.dropped, 0);
});

test('the buffer for a slow reader is limited; further lines are dropped and counted', async () => {
  const { log, written, waiting, take } = output();
  const line = `${'é'.repeat(499)}.\n`;
  for (let i = 0; i < 10_000; i++) log.write(line);
  const kept = Math.floor((1 << 20) / Buffer.byteLength(line)) + 1;
  assert.equal(log.dropped, 10_000 - kept);
  assert.equal(waiting.length, 1);
  while (waiting.length > 0) await take();
  assert.equal(written.join(''), line.repeat(kept));
  log.write('after\n');
  assert.equal(written.at(-1), 'after\n');
});

test('lines that cannot be written are counted, and the next ones are tried again', async () => {
  const { log, written, take } = output();
  log.write('a\n');
  log.write('b\n');
  log.write('c\n');
  await take(new Error('ENOSPC'));
  await take(new Error('ENOSPC'));
  assert.equal(log.dropped, 3);
  log.write('d\n');
  await take();
  assert.deepEqual([written.at(-1), log.dropped], ['d\n', 3]);
});

test('a flush waits for the lines that are being written, up to its time limit', async () => {
  const { log, take, clock } = output();
  await log.flush(60_000);
  log.write('a\n');
  log.write('b\n');
  let isFlushed = false;
  const flushed = log.flush(60_000).then(() => {
    isFlushed = true;
  });
  await take();
  assert.equal(isFlushed, false);
  await take();
  await flushed;
  log.write('c\n');
  const late = log.flush(10);
  clock.advance(10);
  await late;
});

test('a file is written through its descriptor', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'log-')), 'log');
  const fd = openSync(path, 'w');
  const log = new LogOutput(sendTo(new PassThrough(), fd, new FakeClock()), new FakeClock());
  log.write('to a file\n');
  await eventually('it is written', () => readFileSync(path, 'utf8') === 'to a file\n');
  closeSync(fd);
  rmSync(dirname(path), { recursive: true });
});
