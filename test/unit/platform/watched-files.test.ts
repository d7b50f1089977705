import assert from 'node:assert/strict';
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { watchFile } from '../../../src/platform/watch-file.js';
import { FilesError, WatchedFiles } from '../../../src/platform/watched-files.js';
import { FakeClock } from '../../support/fake-clock.js';
import { folder } from '../../support/process.js';

const accept = () => {};

function rig(t: TestContext, check: (contents: ReadonlyMap<string, string>) => void = accept) {
  const clock = new FakeClock();
  const where = folder(t);
  const key = join(where, 'key');
  const hosts = join(where, 'hosts');
  writeFileSync(key, 'first');
  const files = new WatchedFiles([key, key], ['', hosts], check);
  const changes: string[] = [];
  const errors: unknown[] = [];
  files.watch(
    clock,
    () => changes.push(files.contents().get(key) ?? ''),
    (error) => errors.push(error),
  );
  return { clock, key, hosts, files, changes, errors };
}

describe('the files that settings name', () => {
  test('are read at once; one that is missing is an error, unless it is optional', (t) => {
    const { files, key, hosts } = rig(t);
    assert.deepEqual([...files.contents()], [[key, 'first']]);
    assert.equal(files.contents().has(hosts), false);
    assert.throws(() => new WatchedFiles([`${key}/none`], [], accept), FilesError);
    assert.throws(
      () => new WatchedFiles([join(key, '..')], [], accept),
      /expected a readable file, got EISDIR/,
    );
  });

  test('are read again within five seconds of a change', (t) => {
    const { clock, key, changes, errors } = rig(t);
    clock.advance(60_000);
    assert.deepEqual(changes, []);
    writeFileSync(key, 'second one');
    clock.advance(5_000);
    assert.deepEqual([changes, errors], [['second one'], []]);
  });

  test('that are created later are read, and keep their contents when they are removed', (t) => {
    const { clock, hosts, files, changes, errors } = rig(t);
    writeFileSync(hosts, '127.0.0.1 a');
    clock.advance(5_000);
    assert.equal(files.contents().get(hosts), '127.0.0.1 a');
    assert.equal(changes.length, 1);
    rmSync(hosts);
    clock.advance(5_000);
    assert.equal(files.contents().get(hosts), '127.0.0.1 a');
    assert.match(String(errors), /hosts: expected a readable file, got ENOENT/);
  });

  test('keep their previous contents while the new ones are rejected or cannot be read', (t) => {
    const { clock, key, files, changes, errors } = rig(t, (contents) => {
      if ([...contents.values()].includes('wrong')) throw new Error('no certificate');
    });
    writeFileSync(key, 'wrong');
    clock.advance(5_000);
    assert.deepEqual([files.contents().get(key), changes, errors.length], ['first', [], 1]);
    rmSync(key);
    mkdirSync(key);
    clock.advance(5_000);
    assert.deepEqual([files.contents().get(key), errors.length], ['first', 2]);
    rmSync(key, { recursive: true });
    writeFileSync(key, 'right again');
    clock.advance(5_000);
    assert.deepEqual(changes, ['right again']);
  });

  test('are no longer checked once they are closed; without files nothing is checked', (t) => {
    const { clock, files } = rig(t);
    files.close();
    assert.equal(clock.pending, 0);
    new WatchedFiles([], [], accept).watch(clock, accept, accept);
    assert.equal(clock.pending, 0);
  });

  test('are rejected at the start if the check rejects them', (t) => {
    const path = join(folder(t), 'key');
    writeFileSync(path, 'x');
    const refuse = () => {
      throw new Error('no key');
    };
    assert.throws(() => new WatchedFiles([path], [], refuse), /no key/);
  });
});

describe('a watched file', () => {
  const watched = (t: TestContext) => {
    const clock = new FakeClock(0, Date.now());
    const path = join(folder(t), 'config.yml');
    writeFileSync(path, 'a: 1');
    const changes: number[] = [];
    const onChange = () => changes.push(clock.now());
    const stop = watchFile({ path, intervalMs: 1_000, clock, onChange });
    /** Writes the file, with the time of the fake clock. */
    const write = (text: string) => {
      writeFileSync(path, text);
      utimesSync(path, clock.epoch() / 1000, clock.epoch() / 1000);
    };
    return { clock, path, changes, stop, write };
  };

  test('is reported once for each change', (t) => {
    const { clock, changes, write } = watched(t);
    clock.advance(10_000);
    assert.deepEqual(changes, []);
    write('a: 22');
    clock.advance(10_000);
    assert.equal(changes.length, 1);
    write('a: 333');
    clock.advance(10_000);
    assert.equal(changes.length, 2);
  });

  test('is not reported while it may be incomplete', (t) => {
    const { clock, changes, write } = watched(t);
    for (let i = 0; i < 5; i++) {
      clock.advance(500);
      write('a'.repeat(i + 10));
      clock.advance(500);
    }
    assert.deepEqual(changes, []);
    clock.advance(2_000);
    assert.equal(changes.length, 1);
  });

  test('that is removed is a change', (t) => {
    const { clock, path, changes } = watched(t);
    rmSync(path);
    clock.advance(1_000);
    assert.equal(changes.length, 1);
  });

  test('is no longer checked once its watch is stopped', (t) => {
    const { clock, changes, stop, write } = watched(t);
    stop();
    write('a: 22');
    clock.advance(10_000);
    assert.deepEqual([changes, clock.pending], [[], 0]);
  });
});
