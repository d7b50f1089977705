import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { EventStreams } from '../../../src/http/routes/event-streams.js';
import { systemClock } from '../../../src/shared/clock.js';
import { StateChangeLog } from '../../../src/status/state-change-log.js';
import { eventually } from '../../support/process.js';
import { change } from '../../support/state-changes.js';

/** A client that reads everything, or nothing until `read` is called. */
class Client extends EventEmitter {
  readonly pieces: (string | Buffer)[] = [];
  isReading = true;
  isDisconnected = false;

  write(piece: string | Buffer): boolean {
    this.pieces.push(piece);
    return this.isReading;
  }

  destroy(): void {
    this.isDisconnected = true;
    this.emit('close');
  }

  read(): void {
    this.isReading = true;
    this.emit('drain');
  }

  get text(): string {
    return this.pieces.map(String).join('');
  }

  /** The destinations of its events, in order. */
  get names(): readonly string[] {
    return [...this.text.matchAll(/"destination":"([^"]*)"/g)].map(([, name = '']) => name);
  }
}

function streams(t: { after(fn: () => void): void }) {
  const changes = new StateChangeLog(1_000);
  const all = new EventStreams(changes, systemClock);
  const clients: Client[] = [];
  t.after(() => {
    for (const client of clients) client.destroy();
  });
  const listen = (number: number, isReading = true) => {
    const client = new Client();
    client.isReading = isReading;
    clients.push(client);
    all.add(client, number);
    return client;
  };
  return { changes, all, listen };
}

const named = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => change(String(from + i)));

test('a change is rendered once, and a hundred clients share the bytes', async (t) => {
  const { changes, listen } = streams(t);
  const clients = Array.from({ length: 100 }, () => listen(0));
  let readings = 0;
  const labels = {
    get carrier() {
      readings++;
      return 'x';
    },
  };
  changes.add(Array.from({ length: 50 }, (_, i) => change(String(i), labels)));
  await eventually('all have it', () => clients.every(({ names }) => names.length === 50));
  assert.equal(readings, 50);
  const [first] = clients;
  assert.equal(first?.pieces.length, 1);
  for (const { pieces } of clients) assert.ok(pieces[0] === first?.pieces[0]);
});

test('a client that does not read is sent one piece, and is disconnected when the log has moved on', async (t) => {
  const { changes, all, listen } = streams(t);
  const slow = listen(0, false);
  const quick = listen(0);
  changes.add(named(1, 10));
  await eventually('both have it', () => slow.names.length === 10 && quick.names.length === 10);
  for (let i = 0; i < 9; i++) {
    const from = 11 + i * 1_000;
    changes.add(named(from, from + 999));
    await eventually('the quick one has it', () => quick.names.length === from + 989 + 10);
  }
  assert.equal(slow.pieces.length, 1);
  assert.ok(!slow.isDisconnected && !quick.isDisconnected);
  slow.read();
  await eventually('it is disconnected', () => slow.isDisconnected);
  assert.equal(all.size, 1);
  assert.equal(quick.names.length, 9_010);
});

test('a client that pauses gets every event once, in order', async (t) => {
  const { changes, listen } = streams(t);
  const client = listen(0, false);
  changes.add(named(1, 3_000));
  await eventually('the first piece', () => client.pieces.length === 1);
  changes.add(named(3_001, 4_000));
  client.read();
  await eventually('all of it', () => client.names.length === 4_000);
  assert.deepEqual(
    client.names,
    Array.from({ length: 4_000 }, (_, i) => String(i + 1)),
  );
  for (const piece of client.pieces) assert.ok(piece.length < 70_000, 'pieces are bounded');
});

test('a crowd that reconnects is served in slices: other work runs in between', async (t) => {
  const { changes, listen } = streams(t);
  changes.add(named(1, 2_000));
  let turns = 0;
  let isDone = false;
  const turn = () => {
    turns++;
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  const clients = Array.from({ length: 100 }, (_, i) => listen(i));
  await eventually('all have all', () =>
    clients.every(({ pieces }) => String(pieces.at(-1)).includes('"destination":"2000"')),
  );
  isDone = true;
  assert.ok(turns > 5, `${turns} turns`);
  const [first] = clients;
  assert.equal(first?.names.length, 2_000);
});

test('a client that reconnects is not disconnected when the log moves on before its first piece', async (t) => {
  const { changes, listen } = streams(t);
  changes.add(named(1, 8_192));
  const client = listen(changes.numberOf('another-1'));
  changes.add(named(8_193, 9_000));
  await eventually('it has the rest', () => client.text.includes('"destination":"9000"'));
  assert.ok(!client.isDisconnected);
  assert.equal(client.names.length, 8_192);
});
